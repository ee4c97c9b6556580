import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOutbox } from './outbox.ts'

test('things go out together, and those beyond the limit are counted', () => {
  const sent: (readonly number[])[] = []
  const dropped: number[] = []
  const outbox = createOutbox<number>({
    send: (things) => sent.push(things),
    limit: 2,
    onDrop: (count) => dropped.push(count),
  })
  for (const thing of [1, 2, 3, 4]) outbox.add(thing)
  assert.deepEqual(sent, [])
  outbox.flush()
  outbox.add(5)
  outbox.flush()
  outbox.flush()
  assert.deepEqual([sent, dropped], [[[1, 2], [5]], [2]])
})

test('without a flush they go out in some milliseconds', async () => {
  const { promise, resolve } = Promise.withResolvers<readonly number[]>()
  createOutbox<number>({ send: resolve, limit: 1, onDrop: () => {} }).add(7)
  const held = setTimeout(() => {}, 5000)
  assert.deepEqual(await promise, [7])
  clearTimeout(held)
})
