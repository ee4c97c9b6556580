import assert from 'node:assert/strict'
import test from 'node:test'
import { createSlots } from './slots.ts'

test('so many tasks run at a time, in their order, also when some fail', async () => {
  const inSlot = createSlots(2)
  const order: number[] = []
  let running = 0
  let most = 0
  const tasks = Array.from({ length: 7 }, (_, i) =>
    inSlot(async () => {
      order.push(i)
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      if (i % 3 === 0) throw new Error('failed')
    }),
  )
  await Promise.allSettled(tasks)
  assert.equal(most, 2)
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6])
})
