import assert from 'node:assert/strict'
import { test } from 'node:test'
import { audienceKey, countViewers, Viewers } from './viewers.ts'

test('a viewer who asks several workers is one, and one who asks no more is none', () => {
  const [one, two] = [new Viewers(), new Viewers()]
  one.see('studio', '192.0.2.1 player', 0)
  one.see('studio', '192.0.2.2 player', 15_000)
  one.see('stage', '192.0.2.2 player', 15_000)
  two.see('studio', '192.0.2.2 player', 15_000)
  two.see('studio', '192.0.2.2 other', 15_000)
  const counted = (nowMs: number): (number | undefined)[] => {
    const counts = countViewers([
      ...one.list('/a', nowMs),
      ...two.list('/a', nowMs),
      ...two.list('/b', nowMs),
    ])
    return ['studio', 'stage'].map((stream) => counts.get(audienceKey('/a', stream)))
  }
  assert.deepEqual(counted(15_000), [3, 1])
  assert.deepEqual(counted(25_000), [2, 1])
  assert.deepEqual(counted(40_000), [undefined, undefined])
})
