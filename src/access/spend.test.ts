import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Rate, spend } from './spend.ts'

/** What comes of requests at these times. */
function waits(rate: Rate, times: readonly number[]): number[] {
  let fullAtMs = 0
  return times.map((now) => {
    const spent = spend(fullAtMs, rate, now)
    fullAtMs = spent.fullAtMs
    return spent.waitMs
  })
}

const cases: [what: string, rate: Rate, times: number[], waits: number[]][] = [
  ['a burst goes on, one more waits', { intervalMs: 100, burst: 3 }, [5, 5, 5, 5], [0, 0, 0, 100]],
  [
    'a token comes back after an interval',
    { intervalMs: 100, burst: 1 },
    [0, 99, 100, 150, 200],
    [0, 1, 0, 50, 0],
  ],
  ['what is refused costs nothing', { intervalMs: 100, burst: 1 }, [0, 10, 20, 30, 100], [0, 90, 80, 70, 0]],
  [
    'a rest fills the bucket, not more',
    { intervalMs: 10, burst: 2 },
    [1000, 1000, 1000, 9000, 9000, 9000],
    [0, 0, 10, 0, 0, 10],
  ],
  [
    'intervals that are no whole milliseconds',
    { intervalMs: 1 / 3, burst: 3 },
    [1, 1, 1, 2, 2, 2],
    [0, 0, 0, 0, 0, 0],
  ],
]

for (const [what, rate, times, wanted] of cases) {
  test(`spend(): ${what}`, () => {
    assert.deepEqual(waits(rate, times), wanted)
  })
}

test('in no stretch of time do more requests go on than the burst and the rate allow', () => {
  const gaps = fc.array(fc.nat(50), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(
      gaps,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 10 }),
      (steps, intervalMs, burst) => {
        let now = 0
        const times = steps.map((step) => (now += step))
        const found = waits({ intervalMs, burst }, times)
        const granted = times.filter((_, i) => found[i] === 0)
        for (const [i, start] of granted.entries()) {
          for (const [j, end] of granted.entries()) {
            if (j >= i) assert.ok(j - i + 1 <= burst + (end - start) / intervalMs)
          }
        }
      },
    ),
  )
})
