import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { loadText } from '#config/load.ts'
import type { Problem } from '#core/problem.ts'
import { cleanFiles } from './clean-files.ts'
import { faultyFile } from './faulty-file.ts'
import { temporaryFolder } from './folder.ts'
import { run } from './peers.ts'

const folder = temporaryFolder()

/** Run `portico check --json` on a text. */
async function check(name: string, text: string): Promise<{ code: number | null; problems: Problem[] }> {
  const file = join(folder, `${name}.jsonc`)
  writeFileSync(file, text)
  for (const { kind, path } of loadText(file, text).config?.paths ?? []) {
    const whole = join(folder, path)
    mkdirSync(kind === 'folder' ? whole : dirname(whole), { recursive: true })
    if (kind === 'file') writeFileSync(whole, '')
  }
  const { code, stdout, stderr } = await run(process.execPath, [
    'src/main.ts',
    'check',
    '--config',
    file,
    '--json',
  ])
  assert.equal(stderr, '')
  return { code, problems: (JSON.parse(stdout) as { problems: Problem[] }).problems }
}

/** What the comments of the file promise, as `line:column code`. */
function plantedIn(text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const found = / \/\/ FAULT (\S+) AT (.*)$/.exec(line)
    return found === null ? [] : [`${index + 1}:${line.indexOf(found[2]!) + 1} ${found[1]}`]
  })
}

test('check finds every planted fault of a file at its place, and nothing else', async () => {
  const planted = plantedIn(faultyFile)
  assert.ok(planted.length >= 30, `${planted.length} faults are planted`)
  const { code, problems } = await check('faulty', faultyFile)
  assert.equal(code, 1)
  assert.deepEqual(
    problems.map(({ at, code }) => `${at.line}:${at.column} ${code}`),
    planted,
  )
  for (const { message, fix } of problems) {
    assert.doesNotMatch(message, /invalid|sorry|!$/i)
    assert.ok(fix !== undefined && fix !== '', message)
  }
})

for (const [name, text] of Object.entries(cleanFiles)) {
  test(`check says nothing of ${name}`, async () => {
    const { code, problems } = await check(name.replace(/\W+/g, '-').slice(0, 40), text)
    assert.deepEqual(problems, [])
    assert.equal(code, 0)
  })
}
