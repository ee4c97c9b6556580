import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import { parse } from 'jsonc-parser'
import type { GroupSetting } from '#core/settings.ts'
import { cleanFiles } from '../../test/clean-files.ts'
import { plantedFaults } from '../../test/planted/planted.ts'
import { fileSettings } from './file.ts'
import { jsonSchema } from './json-schema.ts'

// Not strict: `defaultSnippets` and `allowTrailingCommas` are words of VS Code.
const ajv = new Ajv({ strict: false, allErrors: true })
const schema = jsonSchema(fileSettings, 'portico.jsonc')
const validate = ajv.compile(schema)

test('jsonSchema() makes a schema of draft-07', () => {
  assert.ok(ajv.validateSchema(schema), ajv.errorsText())
})

for (const [name, text] of Object.entries(cleanFiles)) {
  test(`the schema accepts ${name}`, () => {
    assert.ok(validate(parse(text)), ajv.errorsText(validate.errors))
  })
}

/** What a schema can see: the form of one value. */
const visible = [
  'config/unknown-key',
  'config/missing-key',
  'config/one-kind',
  'config/wrong-type',
  'config/wrong-form',
  'config/unknown-value',
  'config/out-of-range',
  'config/size-without-unit',
  'config/duration-without-unit',
]

for (const { code, text } of plantedFaults.filter((fault) => visible.includes(fault.code))) {
  test(`the schema refuses what check calls ${code}`, () => {
    assert.equal(validate(parse(text)), false)
  })
}

const table: GroupSetting = {
  type: 'group',
  doc: 'A table.',
  fields: {
    size: { type: 'size', doc: 'A size.', initial: 65_536, min: 1, max: 2 ** 40, source: 'a guess' },
    wait: { type: 'duration', doc: 'A wait.', initial: 30_000, min: 0, max: 60_000 },
    count: { type: 'integer', doc: 'A count.', unit: 'things', min: 1, max: 9, example: 3 },
    names: { type: 'list', doc: 'Names.', of: { type: 'text', doc: 'A name.' }, single: true, max: 4 },
  },
  required: ['count'],
}

test('jsonSchema() says defaults and limits as one would write them', () => {
  const { properties, required, additionalProperties } = jsonSchema(table, 'table')
  assert.deepEqual(properties, {
    size: {
      description: 'A size. Why: a guess.',
      default: '64KiB',
      type: 'string',
      pattern: '^\\d+(\\.\\d+)? ?([KMGT]i?)?B$',
    },
    wait: {
      description: 'A wait.',
      default: '30s',
      type: 'string',
      pattern: '^\\d+(\\.\\d+)? ?(ms|s|m|h|d)$',
    },
    count: { description: 'A count. Unit: things.', examples: [3], type: 'integer', minimum: 1, maximum: 9 },
    names: {
      description: 'Names.',
      anyOf: [
        { description: 'A name.', type: 'string' },
        { type: 'array', items: { description: 'A name.', type: 'string' }, maxItems: 4 },
      ],
    },
  })
  assert.deepEqual(required, ['count'])
  assert.equal(additionalProperties, false)
})

test('jsonSchema() defines once what stands in several places', () => {
  const definitions = Object.keys(schema['definitions'] as object)
  const shared =
    'access bucket cache errors files headers http issuer limits live maintenance records redirect respond service stream ttl'
  assert.deepEqual(definitions.sort(), shared.split(' '))
})
