import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ZonePlan } from './plan.ts'
import { advanceSerials, parseSerials } from './serials.ts'

const zone = (key: string): ZonePlan => ({ id: 'zone:example.com', key }) as ZonePlan

test('advanceSerials() keeps the serial while the zone is the same, and grows it when it changes (RFC 1982 §3.1)', () => {
  const first = advanceSerials({}, [zone('a')], 1_800_000_000)
  assert.equal(first['zone:example.com']!.serial, 1_800_000_000)
  assert.deepEqual(advanceSerials(first, [zone('a')], 1_900_000_000), first)
  assert.equal(advanceSerials(first, [zone('b')], 1_800_000_000)['zone:example.com']!.serial, 1_800_000_001)
  assert.equal(advanceSerials(first, [zone('b')], 1_800_000_500)['zone:example.com']!.serial, 1_800_000_500)
})

test('advanceSerials() remembers a zone that left, should it come back', () => {
  const saved = { 'zone:gone.example': { key: 'x', serial: 7 } }
  assert.deepEqual(advanceSerials(saved, [], 9), saved)
})

test('parseSerials() takes only what was saved whole', () => {
  assert.deepEqual(parseSerials(null), {})
  assert.deepEqual(parseSerials('{"zone:a":{"key":"k","serial":3},"zone:b":{"serial":1}}'), {
    'zone:a': { key: 'k', serial: 3 },
  })
  assert.deepEqual(parseSerials('{'), {})
})
