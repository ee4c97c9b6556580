import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerRate } from './rate.ts'
import { addressOctets } from './wire/address.ts'

const PLAN = { perSecond: 10, slip: 2 }

function takeMany(rate: AnswerRate, address: string, count: number, nowMs: number): Record<string, number> {
  const said = { no: 0, truncated: 0, nothing: 0 }
  for (let i = 0; i < count; i++) said[rate.take(addressOctets(address), nowMs, PLAN)]++
  return said
}

test('a network gets two seconds of answers at once, then its rate; of the rest each second goes out truncated', () => {
  const rate = new AnswerRate(Buffer.alloc(16, 7))
  assert.deepEqual(takeMany(rate, '192.0.2.1', 100, 1_000_000), { no: 20, truncated: 40, nothing: 40 })
  assert.equal(takeMany(rate, '192.0.2.200', 10, 1_000_000)['no'], 0, 'the same /24')
  assert.equal(takeMany(rate, '192.0.3.1', 10, 1_000_000)['no'], 10, 'another /24')
  assert.equal(takeMany(rate, '192.0.2.1', 100, 1_001_000)['no'], 10, 'a second later')
})

test('an IPv6 /56 is one network', () => {
  const rate = new AnswerRate(Buffer.alloc(16, 7))
  takeMany(rate, '2001:db8:1:100::1', 100, 0)
  assert.equal(takeMany(rate, '2001:db8:1:1ff::1', 10, 0)['no'], 0)
  assert.equal(takeMany(rate, '2001:db8:1:200::1', 10, 0)['no'], 10)
})
