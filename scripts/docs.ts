// `npm run docs`: the documents that are made from the code. `--schema` writes portico.schema.json only, which the
// package carries; `--check` writes nothing and ends with 1 when a file is not what it would be.

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { fileSettings } from '#config/file.ts'
import { jsonSchema } from '#config/json-schema.ts'
import { cachingPage } from './docs/caching.ts'
import { checksPage } from './docs/checks.ts'
import { referencePage } from './docs/reference.ts'

const { values } = parseArgs({ options: { schema: { type: 'boolean' }, check: { type: 'boolean' } } })

const made: Record<string, () => string> = {
  'portico.schema.json': () => `${JSON.stringify(jsonSchema(fileSettings, 'portico.jsonc'), null, 2)}\n`,
  'docs/reference.md': () => referencePage(fileSettings),
  'docs/checks.md': checksPage,
  'docs/caching.md': cachingPage,
}

const wanted = Object.entries(made).filter(([file]) => values.schema !== true || file.endsWith('.json'))
const stale = wanted.filter(([file, make]) => textOf(file) !== make())
if (values.check !== true) for (const [file, make] of stale) writeFileSync(file, make())
for (const [file] of stale)
  process.stderr.write(`${file} ${values.check === true ? 'is stale. Fix: npm run docs' : 'written'}\n`)
process.exitCode = values.check === true && stale.length > 0 ? 1 : 0

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
