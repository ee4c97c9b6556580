import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'jsonc-parser'
import { hasErrors } from '#core/problem.ts'
import { compileZones } from '#dns/zone.ts'
import { createRouter } from '#http/router.ts'
import { cleanFiles } from '../../test/clean-files.ts'
import { checkText } from '../../test/planted/planted.ts'

/** Values that stand where others belong. */
const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    -1,
    0.5,
    1e300,
    '',
    '.',
    '..',
    '@',
    '*',
    '\\',
    'a\\',
    '"',
    '[',
    '\u0000',
  ),
  fc.constantFrom<unknown>(
    '2001:db8::1',
    '203.0.113.7',
    'http://[',
    'https://a:0',
    ':99999',
    '\\# 1',
    '10 .',
    '%',
    [],
  ),
  fc.string({ unit: 'grapheme', maxLength: 70 }),
  fc.jsonValue({ maxDepth: 3 }),
)

type Change = { readonly at: number; readonly value: unknown; readonly key: boolean }

const change: fc.Arbitrary<Change> = fc.record({ at: fc.nat(400), value: strange, key: fc.boolean() })

/** The value with one part replaced, or one key renamed: the `at`th, counted in order. */
function changed(value: unknown, { at, value: put, key: isKey }: Change): unknown {
  let left = at % countParts(value)
  const walk = (part: unknown): unknown => {
    const isHere = left-- === 0
    if (isHere && !isKey) return put
    if (Array.isArray(part)) return part.map(walk)
    if (typeof part !== 'object' || part === null) return part
    const entries = Object.entries(part).map(([key, below]) => [key, walk(below)] as const)
    if (isHere && entries.length > 0)
      return Object.fromEntries([
        [typeof put === 'string' ? put : JSON.stringify(put), entries[0]![1]],
        ...entries.slice(1),
      ])
    return Object.fromEntries(entries)
  }
  return walk(value)
}

function countParts(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, part) => sum + countParts(part), 1)
}

test('check never throws, and a file without errors can be compiled for serving', () => {
  const files = Object.values(cleanFiles).map((text) => parse(text) as unknown)
  let served = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...files),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (file, changes) => {
        const text = JSON.stringify(changes.reduce(changed, file)) ?? ''
        const { plan, problems } = checkText(text)
        assert.equal(plan === null && !hasErrors(problems), false)
        if (plan === null || hasErrors(problems)) return
        compileZones(plan.dns.zones, new Map())
        createRouter(plan.http, () => () => {})
        served++
      },
    ),
    { numRuns: 1500 },
  )
  assert.ok(served > 50, `${served} of the changed files had no errors`)
})
