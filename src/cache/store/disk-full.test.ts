import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { keepAwake } from '../../../test/keep-awake.ts'
import { openStore } from './open-store.ts'
import { createStoreMemory } from './shared.ts'

const MIB = 1024 * 1024

/** A file system of 3 MiB; undefined where we may not mount one. */
function mountSmall(t: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'portico-full-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'portico-test', folder], { stdio: 'ignore' })
  } catch {
    rmdirSync(folder)
    return undefined
  }
  t.after(() => {
    execFileSync('umount', ['-l', folder])
    rmdirSync(folder)
  })
  return folder
}

test('a full disk turns its tier off and not the service, and it comes back when there is room', async (t) => {
  const folder = mountSmall(t)
  if (folder === undefined) return t.skip('mounting a small file system needs root')
  keepAwake(t)
  const said: string[] = []
  const handle = createStoreMemory({
    budgetOctets: 16 * MIB,
    memoryObjectOctets: 100_000,
    disk: { folder, budgetOctets: 64 * MIB },
  })
  const store = openStore(handle, { worker: 0, keepsDisk: true, log: (_level, event) => said.push(event) })
  t.after(() => store.close())
  const put = async (key: string, length: number): Promise<string> => {
    const fill = store.create(key, { meta: '', tags: [], lengthOctets: length, epoch: store.epoch() })
    for (let at = 0; fill !== null && at < length; at += 50_000) {
      await fill.write(Buffer.alloc(Math.min(50_000, length - at), 7))
    }
    fill?.end()
    return fill?.object.state ?? 'refused'
  }
  assert.equal(await put('fits', 1_000_000), 'whole')
  assert.equal(await put('does not fit', 3_000_000), 'failed')
  assert.equal(store.stats().disk?.isOn, false)
  assert.deepEqual(said, ['cache-disk-off'])
  assert.equal(await put('small', 5000), 'whole', 'memory goes on')
  assert.equal(await put('large', 200_000), 'refused', 'what only the disk could take is passed on')
  const source = store.find('fits')[0]?.read(0, null)
  assert.ok(source, 'what is there can be read')
  source.cancel('finished')
  await store.purge({ everything: true }, 'hard')
  for (let waits = 0; !store.stats().disk?.isOn && waits < 100; waits++) await sleep(100)
  assert.deepEqual(said, ['cache-disk-off', 'cache-disk-on'])
  assert.equal(await put('fits again', 1_000_000), 'whole')
  await store.close()
  const after = openStore(createStoreMemory({ ...handle.shape, disk: handle.shape.disk! }), {
    worker: 0,
    keepsDisk: true,
  })
  assert.deepEqual(
    after.list({ limit: 10 }).map(({ key }) => key),
    ['fits again'],
  )
  await after.close()
})
