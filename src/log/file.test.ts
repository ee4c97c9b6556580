import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { until } from '../../test/running.ts'
import { type LogFile, openLogFile } from './file.ts'
import { moveAside } from './rotate.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portico-log-'))
})
after(() => rm(folder, { recursive: true }))

const errors: Error[] = []

function open(name: string, rotateOctets?: number): { file: LogFile; path: string } {
  const path = join(folder, name)
  const file = openLogFile({ path, rotateOctets, keep: 2, onError: (error) => errors.push(error) })
  return { file, path }
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')

test('lines are appended in their order, and closing writes what waits', async () => {
  await writeFile(join(folder, 'a.log'), 'before\n')
  const { file, path } = open('a.log')
  for (let i = 0; i < 3; i++) file.write(`line ${i}`)
  await until(async () => (await read(path)).includes('line 2'))
  file.write('last')
  file.close()
  file.write('too late')
  assert.equal(await read(path), 'before\nline 0\nline 1\nline 2\nlast\n')
  assert.equal(file.dropped, 1)
  assert.equal((await stat(path)).mode & 0o777, 0o644, 'a file that stands keeps its mode')
})

test('opened anew, lines go to the file that has the name now, and none is lost', async () => {
  const { file, path } = open('b.log')
  const long = 'x'.repeat(40_000)
  // A write is under way when the file is moved away.
  for (const text of ['1', long, long]) file.write(text)
  await rename(path, `${path}.old`)
  file.reopen()
  file.write('2')
  file.close()
  const [old, now] = [await read(`${path}.old`), await read(path)]
  assert.deepEqual(
    `${old}${now}`
      .split('\n')
      .filter((line) => line.length === 1)
      .sort(),
    ['1', '2'],
  )
  assert.equal((old + now).length, 2 + 2 * 40_001 + 2)
  assert.equal((await stat(`${path}.old`)).mode & 0o777, 0o640)
})

test('lines that the disk does not take are dropped and counted', () => {
  const { file } = open('c.log')
  const megabyte = 'x'.repeat(2 ** 20)
  for (let i = 0; i < 12; i++) file.write(megabyte)
  assert.ok(file.dropped >= 3 && file.dropped < 12, `${file.dropped}`)
  file.close()
})

test('a file that is too large is moved aside; so is not one that somebody else has moved', async () => {
  const { file, path } = open('d.log', 100)
  file.write('x'.repeat(200))
  await until(async () => (await read(`${path}.1`)) !== '')
  file.write('new')
  await rename(path, `${path}.elsewhere`)
  await until(async () => (await stat(path).catch(() => null)) !== null)
  file.write('newer')
  file.close()
  assert.equal(await read(path), 'newer\n')
})

test('of the files that were moved aside the oldest goes', async () => {
  const path = join(folder, 'e.log')
  for (const text of ['1', '2', '3', '4']) {
    await writeFile(path, text)
    await moveAside(path, 2)
  }
  const names = (await readdir(folder)).filter((name) => name.startsWith('e.log'))
  assert.deepEqual(names.sort(), ['e.log.1', 'e.log.2'])
  assert.deepEqual([await read(`${path}.1`), await read(`${path}.2`)], ['4', '3'])
})

test('a file whose folder is missing is an error at once', () => {
  assert.throws(() => open('nowhere/f.log'), /ENOENT/)
  assert.deepEqual(errors, [])
})
