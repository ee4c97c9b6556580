import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatContentRange, type OctetRange, parseRange } from './range.ts'

test('parseRange() reads a single range of octets (RFC 9110 §14.1.2)', () => {
  const cases: [string, number, OctetRange | string][] = [
    ['bytes=0-499', 10_000, { first: 0, last: 499 }],
    ['bytes=9500-', 10_000, { first: 9500, last: 9999 }],
    ['bytes=-500', 10_000, { first: 9500, last: 9999 }],
    ['bytes=-20000', 10_000, { first: 0, last: 9999 }],
    ['bytes=9999-20000', 10_000, { first: 9999, last: 9999 }],
    ['bytes=0-0', 1, { first: 0, last: 0 }],
    ['bytes=,0-0, ', 1, { first: 0, last: 0 }],
    [`bytes=0-${'9'.repeat(400)}`, 10, { first: 0, last: 9 }],
    [`bytes=-${'9'.repeat(400)}`, 10, { first: 0, last: 9 }],
    ['bytes=10000-', 10_000, 'unsatisfiable'],
    [`bytes=${'9'.repeat(400)}-`, 10_000, 'unsatisfiable'],
    ['bytes=-0', 10_000, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-5', 0, 'whole'],
  ]
  for (const [value, length, expected] of cases) assert.deepEqual(parseRange(value, length), expected, value)
})

test('parseRange() compares units without case (RFC 9110 §14.1)', () => {
  assert.deepEqual(parseRange('BYTES=0-0', 9), { first: 0, last: 0 })
})

test('parseRange() ignores other units, several ranges and what is malformed (RFC 9110 §14.2)', () => {
  const values = [
    '',
    'bytes',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=a-b',
    'bytes=0x0-1',
    'bytes=+1-2',
    'bytes=1--2',
    'bytes= 1 - 2',
    'bytes 0-1',
    'items=0-1',
    'bytes=0-1,3-4',
    'bytes=1.5-2',
  ]
  for (const value of values) assert.equal(parseRange(value, 100), 'whole', value)
})

test('parseRange() never leaves the content, whatever is asked', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.stringMatching(/^bytes=[0-9 ,-]{0,30}$/),
    fc.tuple(fc.bigInt({ min: 0n }), fc.bigInt({ min: 0n })).map(([first, last]) => `bytes=${first}-${last}`),
  )
  fc.assert(
    fc.property(value, fc.nat(), (text, length) => {
      const range = parseRange(text, length)
      if (typeof range === 'string') return
      assert.ok(0 <= range.first && range.first <= range.last && range.last < length)
      assert.ok(Number.isSafeInteger(range.first) && Number.isSafeInteger(range.last))
    }),
  )
})

test('formatContentRange() says positions and length (RFC 9110 §14.4)', () => {
  assert.equal(formatContentRange({ first: 42, last: 1233 }, 1234), 'bytes 42-1233/1234')
  assert.equal(formatContentRange(null, 1234), 'bytes */1234')
})
