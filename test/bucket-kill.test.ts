import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createCatalogs } from '#bucket/store/catalogs.ts'
import { pathsOf } from '#bucket/store/folder.ts'
import { Reader } from '#bucket/store/reader.ts'

const writer = fileURLToPath(new URL('./bucket-writer.ts', import.meta.url))
/** a few for everyone; 50 were run when this was written */
const KILLS = 15

test('processes that are killed while they write leave no half object and no stray blob', async () => {
  const root = await mkdtemp(join(tmpdir(), 'portico-bucket-'))
  try {
    for (let i = 0; i < KILLS; i++) await killWriter(root, 5 + ((i * 7) % 60))
    const rules = { versions: false, quotaOctets: null, sync: false, incompleteMs: 60_000, store: null }
    const catalogs = createCatalogs(Date.now)
    await catalogs.apply({ root, rules, change: { kind: 'open' } })
    const { database, blobs, drafts, doubts } = pathsOf(root)
    const reader = new Reader(database)
    const { objects } = reader.list({ prefix: '', after: '', delimiter: '', limit: 1000 })
    const onDisk = (await readdir(blobs, { recursive: true })).filter((name) => name.includes('/'))
    assert.deepEqual(
      new Set(onDisk.map((name) => name.slice(3))),
      new Set(objects.map(({ sha256 }) => sha256)),
    )
    assert.ok(objects.length > 0)
    assert.deepEqual([await readdir(drafts), await readdir(doubts)], [[], []])
    reader.close()
    catalogs.close()
  } finally {
    await rm(root, { recursive: true })
  }
})

/** Let a process write objects, replace and delete them, and kill it some milliseconds after its first. */
function killWriter(root: string, afterMs: number): Promise<void> {
  const child = fork(writer, [root], { stdio: 'ignore' })
  child.once('message', () => setTimeout(() => child.kill('SIGKILL'), afterMs))
  return new Promise((resolve) => child.once('exit', () => resolve()))
}
