import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { rules } from './tidy/rules.ts'
import { readSource } from './tidy/source.ts'

const sources = globSync('{src,test,conformance}/**/*.ts').map((path) =>
  readSource(path, readFileSync(path, 'utf8')),
)
const program = sources.filter(({ path, isTest }) => path.startsWith('src/') && !isTest)
const tests = sources.filter(({ isTest }) => isTest)

test('the rules see the whole program and its tests', (context) => {
  context.diagnostic(`${program.length} files of the program, ${tests.length} of tests`)
  assert.ok(program.length >= 120, `${program.length} files under src/: the pattern above misses some`)
  assert.ok(tests.length >= 45, `${tests.length} tests: the pattern above misses some`)
})

for (const { title, check } of rules) {
  test(title, () => {
    const problems = check([...program, ...tests]).sort()
    assert.ok(problems.length === 0, `${problems.length} to mend\n${problems.join('\n')}`)
  })
}

/** One planted fault a line: the file, its text, and words of the problem that must be found; none for what is right. */
const faults: [path: string, text: string, found: RegExp | undefined][] = [
  ['src/core/a.ts', `import { b } from '#dns/answer.ts'`, /service stands above core/],
  ['src/dns/wire/a.ts', `import type { Zone } from '../zone.ts'`, /service stands above wire/],
  ['src/dns/plan.ts', `import type { Config } from '#config/load.ts'`, /joined stands above plan/],
  ['src/http/server.ts', `import type { Pool } from '#dns/server.ts'`, /a service sees no other service/],
  ['src/http/server.ts', `import { dns } from '#run/boot.ts'`, /run stands above service/],
  ['src/run/boot.ts', `import { up } from '#cli/commands/up.ts'`, /front stands above run/],
  ['src/http/server.ts', `import type { ZonePlan } from '#dns/plan.ts'`, undefined],
  ['src/files/answer.ts', `import type { Exchange } from '#http/exchange.ts'`, undefined],
  ['src/run/boot.ts', `import { createServer } from '#dns/server.ts'`, undefined],
  ['src/dns/a.ts', `import { a } from './a.ts'`, /imports itself/],
  ['src/dns/answer.ts', `import net from 'node:net'`, /imports node:net/],
  ['src/dns/answer.ts', `import { isIP } from 'node:net'`, undefined],
  ['src/dns/answer.ts', 'const now = Date.now()', /uses Date.now/],
  ['src/dns/pools/steer.ts', 'const now = Date.now()', /uses Date.now/],
  ['src/dns/answer.ts', '// Date.now() is not read here', undefined],
  ['src/dns/server.ts', 'const now = Date.now()', undefined],
  ['src/dns/a.ts', `import { b } from './b.js'`, /end it with .ts/],
  ['src/dns/a.ts', `import { b } from '../core/b.ts'`, /Fix: '#core\/b.ts'/],
  ['src/dns/a.ts', `export { b } from './b.ts'`, /away from its declaration/],
  ['src/portico.ts', `export { plan } from '#plan/plan.ts'`, undefined],
  ['src/dns/a.ts', '/** B. */\nexport default function b() {}', /default export/],
  ['src/dns/a.ts', 'const enum B { C }', /an enum/],
  ['src/dns/a.ts', 'export const b = 1', /without a docstring/],
  ['src/dns/a.ts', '/** One. */\nexport const b = 1', undefined],
  ['src/dns/a.ts', '\n'.repeat(400), /401 lines/],
  ['src/dns/a.ts', `const b = () => {${'\n'.repeat(70)}}`, /71 lines/],
  ['src/dns/a.ts', `const b = () => {${'\n'.repeat(60)}function c() {${'\n'.repeat(60)}}}`, undefined],
  ['src/dns/a.ts', `// ${'TO'}${'DO'}: later`, /Fix: do it/],
  ['src/dns/a.ts', `const b = '/tmp/b'`, /names \/tmp\//],
  ['src/dns/a.ts', '// RFC 0000 §1, §2.3', /cites RFC 0000 §2.3/],
]

for (const [path, text, found] of faults) {
  test(`${found === undefined ? 'right' : 'a fault'}: ${path}: ${JSON.stringify(text).slice(0, 60)}`, () => {
    const problems = rules.flatMap(({ check }) => check([readSource(path, text)])).join('\n')
    if (found === undefined) assert.equal(problems, '')
    else assert.match(problems, found)
  })
}
