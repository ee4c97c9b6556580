import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { temporaryFolder } from '../../test/folder.ts'
import { until } from '../../test/running.ts'
import { watchFile } from './watch.ts'

const root = temporaryFolder()

function folder(name: string): string {
  const path = join(root, name)
  mkdirSync(path)
  return path
}

/** Counts what is told about a file. */
function count(file: string): { changes: number; end(): void } {
  const counted = { changes: 0, end: watchFile(file, () => counted.changes++) }
  return counted
}

test('a file that is written, or replaced by another, is told of once', async () => {
  const file = join(folder('plain'), 'a.jsonc')
  writeFileSync(file, '1')
  const watched = count(file)
  writeFileSync(file, 'two')
  await until(() => watched.changes === 1)
  writeFileSync(`${file}.new`, 'three')
  renameSync(`${file}.new`, file)
  await until(() => watched.changes === 2)
  writeFileSync(`${file}.other`, 'no matter')
  await pause(200)
  assert.equal(watched.changes, 2)
  watched.end()
})

test('a file behind a link is told of, and so is the link that leads elsewhere', async () => {
  const [here, one, two] = ['here', 'one', 'two'].map(folder) as [string, string, string]
  for (const target of [one, two]) writeFileSync(join(target, 'a.jsonc'), target)
  const file = join(here, 'a.jsonc')
  symlinkSync(join(one, 'a.jsonc'), file)
  const watched = count(file)
  writeFileSync(join(one, 'a.jsonc'), 'changed')
  await until(() => watched.changes === 1)
  symlinkSync(join(two, 'a.jsonc'), `${file}.new`)
  renameSync(`${file}.new`, file)
  await until(() => watched.changes === 2)
  writeFileSync(join(two, 'a.jsonc'), 'changed')
  await until(() => watched.changes === 3)
  watched.end()
})

test('a link in the middle of the way that is exchanged is told of', async () => {
  const [here, one, two] = ['mount', 'mount/1', 'mount/2'].map(folder) as [string, string, string]
  for (const target of [one, two]) writeFileSync(join(target, 'a.jsonc'), target)
  symlinkSync('1', join(here, 'data'))
  symlinkSync('data/a.jsonc', join(here, 'a.jsonc'))
  const watched = count(join(here, 'a.jsonc'))
  symlinkSync('2', join(here, 'data.new'))
  renameSync(join(here, 'data.new'), join(here, 'data'))
  await until(() => watched.changes === 1)
  writeFileSync(join(two, 'a.jsonc'), 'changed')
  await until(() => watched.changes === 2)
  watched.end()
})
