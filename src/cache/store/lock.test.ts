import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Lock } from './lock.ts'
import { control, createStoreMemory, Shared } from './shared.ts'

const HELD_MS = 300
/** A worker that the system has put aside while it had the lock. */
const SLOW = `const { workerData: words } = require('node:worker_threads')
setTimeout(() => { Atomics.store(words, ${control.lock}, 0); Atomics.notify(words, ${control.lock}) }, ${HELD_MS})`

test('a worker waits for one that is slow with the lock; main gives up, to hear whether it died', async () => {
  const handle = createStoreMemory({ budgetOctets: 4 * 2 ** 20 })
  const main = new Shared(handle, 0)
  Atomics.store(main.control, control.lock, 3)
  const slow = new Worker(SLOW, { eval: true, workerData: main.control })
  await once(slow, 'online')
  const began = performance.now()
  assert.equal(
    new Lock(main).hold(() => 'held'),
    null,
  )
  assert.equal(
    new Lock(new Shared(handle, 1)).hold(() => 'held'),
    'held',
  )
  assert.ok(performance.now() - began < 10 * HELD_MS)
  await once(slow, 'exit')
})
