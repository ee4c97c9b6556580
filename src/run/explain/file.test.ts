import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { checkText, fileText } from '../../../test/planted/planted.ts'
import { seeFile } from './file.ts'
import { parseQuestion } from './question.ts'

let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-'))
  await mkdir(join(folder, 'site', 'sub'), { recursive: true })
  for (const name of ['index.html', 'a.css', 'a.css.br'])
    await writeFile(join(folder, 'site', name), 'x'.repeat(9))
})
after(() => rm(folder, { recursive: true }))

const site = '"files": { "root": "./site", "listing": true, "cleanUrls": true }'
const hosts = `"www": { ${site}, "stream": true }, "s": { ${site}, "strip": "/in" }, "*": { "respond": "x" }`

const cases: [target: string, seen: RegExp | null][] = [
  ['https://www.example.com/', /^text\/html; charset=utf-8, 9B, changed 20.*\.\/site\//],
  ['www.example.com', /^text\/html/],
  ['https://www.example.com/a.css?v=1', /^text\/css.*\.\/site\/a\.css; compressed beside it: br\)/],
  ['https://s.example.com/in/a.css', /^text\/css.*\.\/site\/a\.css/],
  ['https://www.example.com/index', /^text\/html/],
  ['https://www.example.com/index.html', /^308 to/],
  ['https://www.example.com/sub', /^308 to \.\/sub\//],
  ['https://www.example.com/sub/', /^a list of the folder/],
  ['https://www.example.com/nope', /^404 Not Found: There is no file at this path\..*fault$/],
  ['https://www.example.com/film.mp4/index.m3u8', null],
  ['https://other.example.com/', null],
  ['www.example.com MX', null],
]

for (const [target, wanted] of cases) {
  test(`explain sees on disk what a request for ${target} meets`, async () => {
    const { plan } = checkText(fileText({ hosts }))
    const question = parseQuestion([target])
    assert.ok(typeof question !== 'string')
    const seen = await seeFile(question, plan!, folder)
    if (wanted === null) return assert.equal(seen, null)
    const { says, reason, isFault } = seen!({ file: 'f', line: 1, column: 1 })
    assert.match(`${says} (${reason})${isFault ? ' fault' : ''}`, wanted)
  })
}
