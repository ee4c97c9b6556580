import assert from 'node:assert/strict'
import { rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/folder.ts'
import { namesIn } from './names-in.ts'

test('a folder is read again when something came into it or left, and not before', async (t) => {
  const folder = temporaryFolder(t)
  await writeFile(join(folder, 'a'), '')
  assert.deepEqual(await namesIn(folder), ['a'])
  await writeFile(join(folder, 'b'), '')
  assert.deepEqual((await namesIn(folder)).toSorted(), ['a', 'b'])
  // What has been still for a while is remembered: the same list, not another one.
  await utimes(folder, 1000, 1000)
  const names = await namesIn(folder)
  assert.equal(await namesIn(folder), names)
  await rm(join(folder, 'a'))
  assert.deepEqual(await namesIn(folder), ['b'])
  await assert.rejects(namesIn(join(folder, 'none')), { code: 'ENOENT' })
})
