import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Budget } from './budget.ts'
import { ClosedStreams } from './closed-streams.ts'
import { type Scheduled, Scheduler } from './scheduler.ts'

class Stream implements Scheduled<Stream> {
  isQueued = false
  after: Stream | undefined = undefined
  readonly id: number
  urgency: number
  isIncremental: boolean

  constructor(id: number, urgency: number, isIncremental: boolean) {
    this.id = id
    this.urgency = urgency
    this.isIncremental = isIncremental
  }
}

describe('Scheduler', () => {
  test('gives turns by urgency, then in the order of waiting (RFC 9218 §10)', () => {
    const scheduler = new Scheduler<Stream>()
    for (const [id, urgency] of [
      [1, 3],
      [3, 0],
      [5, 3],
      [7, 7],
    ] as const)
      scheduler.add(new Stream(id, urgency, true))
    assert.deepEqual(
      Array.from({ length: 5 }, () => scheduler.take()?.id),
      [3, 1, 5, 7, undefined],
    )
  })

  test('lets an incremental stream wait behind its equals, and another go on (RFC 9218 §4.2)', () => {
    for (const isIncremental of [true, false]) {
      const scheduler = new Scheduler<Stream>()
      const [first, second] = [new Stream(1, 3, isIncremental), new Stream(3, 3, isIncremental)]
      scheduler.add(first)
      scheduler.add(second)
      scheduler.putBack(scheduler.take()!)
      assert.equal(scheduler.take()?.id, isIncremental ? 3 : 1)
    }
  })

  test('holds each stream once, whatever is added and removed', () => {
    const action = fc.tuple(fc.constantFrom('add', 'take', 'remove', 'putBack'), fc.nat(5))
    const property = fc.property(fc.array(action), (actions) => {
      const scheduler = new Scheduler<Stream>()
      const streams = Array.from({ length: 6 }, (_, i) => new Stream(i, i % 3, i % 2 === 0))
      const waiting = new Set<Stream>()
      for (const [name, i] of actions) {
        const stream = streams[i]!
        if (name === 'take') {
          const taken = scheduler.take()
          assert.equal(taken === undefined, waiting.size === 0)
          if (taken !== undefined) assert.ok(waiting.delete(taken))
        } else if (name === 'remove') {
          scheduler.remove(stream)
          waiting.delete(stream)
        } else {
          scheduler[name as 'add' | 'putBack'](stream)
          waiting.add(stream)
        }
        assert.deepEqual(
          streams.filter(({ isQueued }) => isQueued),
          streams.filter((one) => waiting.has(one)),
        )
      }
    })
    fc.assert(property)
  })
})

test('Budget allows twice its rate at once, and its rate each second, which a reload may change', () => {
  const budget = new Budget(10)
  const uses = (): number => {
    for (let count = 0; ; count++) if (!budget.use()) return count
  }
  assert.equal(uses(), 20)
  budget.refill(600, 10)
  assert.equal(uses(), 5) // one was used up by the refusal
  budget.refill(1e9, 10)
  assert.equal(uses(), 20)
  budget.refill(1e9, 3)
  assert.equal(uses(), 6)
})

test('ClosedStreams knows how the last streams ended, and no others (RFC 9113 §5.1)', () => {
  const closed = new ClosedStreams()
  closed.note(1, true)
  closed.note(2 ** 31 - 1, false)
  assert.deepEqual([closed.find(1), closed.find(3), closed.find(2 ** 31 - 1)], ['reset', undefined, 'ended'])
  closed.note(1 + 2 * 256, false)
  assert.equal(closed.find(1), undefined)
})
