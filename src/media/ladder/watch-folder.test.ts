import assert from 'node:assert/strict'
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/folder.ts'
import { createFolderWatch } from './watch-folder.ts'

test('a film is taken once it has stopped to grow, once, and again when it is another one', async (t) => {
  const folder = temporaryFolder(t)
  await mkdir(join(folder, '.hidden'))
  await mkdir(join(folder, 'deep'))
  const film = join(folder, 'deep', 'film.mp4')
  const others = ['deep/film.240.mp4', 'deep/.film.240.mp4.1.part', '.hidden/film.mp4', 'film.txt']
  for (const other of others) await writeFile(join(folder, other), 'x')
  const watch = createFolderWatch(folder)
  const look = async (isTaken = true): Promise<string[]> => {
    const taken: string[] = []
    await watch.look(async (path) => {
      taken.push(path)
      return isTaken
    })
    return taken
  }
  await writeFile(film, 'begin')
  assert.deepEqual(await look(), [])
  await appendFile(film, 'more')
  assert.deepEqual(await look(), [], 'it still grows')
  assert.deepEqual(await look(false), [film])
  assert.deepEqual(await look(), [film], 'it was not taken before')
  assert.deepEqual(await look(), [])
  await rm(film)
  assert.deepEqual(await look(), [])
  await writeFile(film, 'anew')
  assert.deepEqual(await look(), [])
  assert.deepEqual(await look(), [film])
})
