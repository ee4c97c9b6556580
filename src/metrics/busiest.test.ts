import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Busiest, mergeBusiest } from './busiest.ts'

test('the heaviest are found among a crowd that is larger than the table', () => {
  const busiest = new Busiest(64)
  for (let i = 0; i < 20_000; i++) {
    busiest.count(`crowd-${i}`, 1)
    if (i % 4 === 0) busiest.count('heavy', 100)
    if (i % 10 === 0) busiest.count('less heavy', 1)
  }
  assert.deepEqual(
    busiest.top(2).map(({ key }) => key),
    ['heavy', 'less heavy'],
  )
})

test('a count is short by `missed` at most, and a key with a larger share is always there', () => {
  const keys = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 400 })
  fc.assert(
    fc.property(keys, fc.integer({ min: 2, max: 12 }), (stream, limit) => {
      const busiest = new Busiest(limit)
      const exact = new Map<string, number>()
      for (const key of stream.map(String)) {
        busiest.count(key, 0)
        exact.set(key, (exact.get(key) ?? 0) + 1)
      }
      const found = new Map(busiest.top(1000).map(({ key, requests }) => [key, requests]))
      assert.ok(found.size <= limit)
      assert.ok(busiest.missed <= (2 * stream.length) / limit)
      for (const [key, count] of exact) {
        const counted = found.get(key) ?? 0
        assert.ok(counted <= count && counted >= count - busiest.missed, `${key}: ${counted} of ${count}`)
      }
    }),
  )
})

test('what several data planes found is one list', () => {
  const a = [{ key: 'x', requests: 3, octets: 30 }]
  const b = [
    { key: 'y', requests: 4, octets: 1 },
    { key: 'x', requests: 2, octets: 20 },
  ]
  assert.deepEqual(mergeBusiest([a, b], 1), [{ key: 'x', requests: 5, octets: 50 }])
})
