import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { createClientTags, openClientTable } from './client-table.ts'

const never = (): boolean => false

test('clients keep their entries, on all threads that share the memory', () => {
  const memory = createClientTags(1024)
  const [a, b] = [openClientTable(memory), openClientTable(memory)]
  const entries = new Set<number>()
  let resets = 0
  const isFree = (entry: number, other: number): boolean => !entries.has(entry) && entries.has(other)
  for (let i = 0; i < 300; i++) {
    const entry = a.entryOf(`10.0.0.${i}`, isFree, () => resets++)
    entries.add(entry)
    assert.equal(
      b.entryOf(`10.0.0.${i}`, never, () => assert.fail()),
      entry,
    )
  }
  // Sets of eight fill unevenly: a few of 300 share a full one.
  assert.ok(entries.size > 280, `${entries.size} entries`)
  assert.equal(resets, 300)
})

test('where entries lie differs from table to table', () => {
  const [a, b] = [0, 1].map(() => openClientTable(createClientTags(65_536)))
  const keys = Array.from({ length: 20 }, (_, i) => `192.0.2.${i}`)
  const entries = (table: typeof a): number[] => keys.map((key) => table!.entryOf(key, never, () => {}))
  assert.notDeepEqual(entries(a), entries(b))
})

test('a client that comes to several threads at the same moment begins once', async () => {
  const CLIENTS = 20_000
  const memory = createClientTags(262_144)
  const [resets, ready] = [new Int32Array(new SharedArrayBuffer(4)), new Int32Array(new SharedArrayBuffer(4))]
  const code = `
    import { workerData } from 'node:worker_threads'
    const { openClientTable } = await import(workerData.module)
    const { memory, used, resets, ready, clients } = workerData
    const table = openClientTable(memory)
    const isBetter = (a, b) => used[a] < used[b]
    Atomics.add(ready, 0, 1)
    while (Atomics.load(ready, 0) < 2) {}
    for (let i = 0; i < clients; i++) used[table.entryOf('10.0.0.' + i, isBetter, () => Atomics.add(resets, 0, 1))] = 1`
  const workerData = {
    module: new URL('./client-table.ts', import.meta.url).href,
    ...{ memory, resets, ready, clients: CLIENTS, used: new Uint8Array(new SharedArrayBuffer(262_144)) },
  }
  const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`)
  await Promise.all([0, 1].map(() => once(new Worker(url, { workerData }), 'exit')))
  assert.equal(Atomics.load(resets, 0), CLIENTS)
})
