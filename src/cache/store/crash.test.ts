import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker, workerData } from 'node:worker_threads'
import { drain } from '../../../test/exchange.ts'
import { Lock } from './lock.ts'
import { openStore } from './open-store.ts'
import { createStoreMemory, Shared, type StoreHandle } from './shared.ts'
import type { CacheStore } from './store.ts'

// This file is also the process that is killed, and the worker that dies with the lock.

const MIB = 1024 * 1024
/** How often a process is killed; 50 by hand. */
const kills = Number(process.env['PORTICO_KILLS'] ?? 4)
const pattern = Buffer.alloc(4 * MIB)
for (let at = 0, value = 1; at < pattern.length; at++) {
  value = (Math.imul(value, 1_103_515_245) + 12_345) | 0
  pattern[at] = value >>> 16
}

function openOn(folder: string): CacheStore {
  const disk = { folder, budgetOctets: 48 * MIB }
  const handle = createStoreMemory({ budgetOctets: 16 * MIB, memoryObjectOctets: MIB / 4, disk })
  return openStore(handle, { worker: 0, keepsDisk: true })
}

async function fillForever(folder: string): Promise<never> {
  const store = openOn(folder)
  process.stdout.write('ready')
  for (;;) {
    const length =
      Math.random() < 0.2 ? Math.floor(Math.random() * 2 * MIB) : Math.floor(Math.random() * 20_000)
    const start = Math.floor(Math.random() * MIB)
    const key = `https://example.com/${Math.floor(Math.random() * 500)}`
    const fill = store.create(key, {
      meta: JSON.stringify({ start, length }),
      tags: [],
      lengthOctets: Math.random() < 0.5 ? length : null,
      epoch: store.epoch(),
    })
    for (let at = 0; at < length; at += 40_000) {
      await fill?.write(pattern.subarray(start + at, start + Math.min(at + 40_000, length)))
    }
    fill?.end()
    if (Math.random() < 0.1) for (const object of store.find(key)) store.update(object, object.meta)
    if (Math.random() < 0.05) await store.purge({ keys: [key] }, 'hard')
    if (Math.random() < 0.2) await sleep(1)
  }
}

/** Every object that a new process finds after the crash has all its octets. @returns how many there are */
async function checkAll(folder: string): Promise<number> {
  const store = openOn(folder)
  let whole = 0
  for (const object of store.list({ limit: 100_000 })) {
    const { start, length } = JSON.parse(object.meta) as { start: number; length: number }
    assert.equal(object.lengthOctets, length)
    const source = object.read(0, null)
    if (source === null) continue
    assert.ok((await drain(source)).equals(pattern.subarray(start, start + length)), object.key)
    whole++
  }
  await store.close()
  return whole
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

if (workerData !== null) {
  const { handle } = workerData as { handle: StoreHandle }
  new Lock(new Shared(handle, 1)).hold(() => {
    Atomics.store(new Int32Array(handle.tables), 50, 1)
    for (;;);
  })
} else if (process.argv[2] !== undefined) {
  await fillForever(process.argv[2])
} else {
  test(`kill -9 in the midst of fills, ${kills} times: each restart serves only whole objects`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'portico-store-'))
    const found: number[] = []
    for (let n = 0; n < kills; n++) {
      const stdio = ['ignore', 'pipe', 'inherit'] as const
      const child = spawn(process.execPath, [import.meta.filename, folder], { stdio: [...stdio] })
      await once(child.stdout!, 'data')
      await sleep(Math.random() * 400)
      assert.equal(child.exitCode, null)
      await kill(child)
      found.push(await checkAll(folder))
    }
    t.diagnostic(`whole objects after each: ${found.join(' ')}`)
    assert.ok(found.at(-1)! > 20)
    rmSync(folder, { recursive: true })
  })

  test('a worker that dies with the lock in its hand stops nobody for long, and everything stays usable', async () => {
    const handle = createStoreMemory({ budgetOctets: 8 * MIB })
    const store = openStore(handle, { worker: 0 })
    const put = (key: string): boolean => {
      const fill = store.create(key, { meta: '', tags: [], lengthOctets: 5000, epoch: 0 })
      void fill?.write(pattern.subarray(0, 5000))
      fill?.end()
      return fill !== null
    }
    for (let n = 0; n < 100; n++) assert.ok(put(`k${n}`))
    const worker = new Worker(new URL(import.meta.url), { workerData: { handle } })
    while (Atomics.load(new Int32Array(handle.tables), 50) === 0) await sleep(5)
    assert.equal(put('refused'), false)
    assert.equal(store.find('k7').length, 1)
    await worker.terminate()
    store.forgetWorker(1)
    assert.ok(put('taken'))
    assert.equal(store.stats().objects, 101)
    for (let n = 0; n < 100; n++) {
      const source = store.find(`k${n}`)[0]?.read(0, null)
      assert.ok(source && (await drain(source)).equals(pattern.subarray(0, 5000)))
    }
  })
}
