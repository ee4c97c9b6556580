import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatContentRange, parseRanges, type RangeChoice, totalOctets } from './range.ts'

test('parseRanges() reads ranges of octets (RFC 9110 §14.1.2)', () => {
  const cases: [string, number, RangeChoice | { first: number; last: number }][] = [
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
  for (const [value, length, expected] of cases) {
    const wanted = typeof expected === 'object' && 'first' in expected ? [expected] : expected
    assert.deepEqual(parseRanges(value, length), wanted, value)
  }
})

test('parseRanges() keeps the order of several and leaves out what is not there (RFC 9110 §14.2)', () => {
  const cases: [string, number, RangeChoice][] = [
    [
      'bytes=0-1,3-4',
      10,
      [
        { first: 0, last: 1 },
        { first: 3, last: 4 },
      ],
    ],
    [
      'bytes=-2 , 0-1',
      10,
      [
        { first: 8, last: 9 },
        { first: 0, last: 1 },
      ],
    ],
    ['bytes=0-1,10-', 10, [{ first: 0, last: 1 }]],
    ['bytes=10-,11-12', 10, 'unsatisfiable'],
    ['bytes=0-1,4-3', 10, 'whole'],
    ['bytes=0-1,x', 10, 'whole'],
    ['bytes=0-,0-', 10, 'whole'],
    [`bytes=${'0-0,'.repeat(64)}`, 1000, 'whole'],
  ]
  for (const [value, length, expected] of cases) assert.deepEqual(parseRanges(value, length), expected, value)
})

test('parseRanges() compares units without case (RFC 9110 §14.1)', () => {
  assert.deepEqual(parseRanges('BYTES=0-0', 9), [{ first: 0, last: 0 }])
})

test('parseRanges() ignores other units and what is malformed (RFC 9110 §14.2)', () => {
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
    'bytes=1.5-2',
  ]
  for (const value of values) assert.equal(parseRanges(value, 100), 'whole', value)
})

test('parseRanges() never leaves the content, whatever is asked', () => {
  const value = fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.stringMatching(/^bytes=[0-9 ,-]{0,30}$/),
    fc.tuple(fc.bigInt({ min: 0n }), fc.bigInt({ min: 0n })).map(([first, last]) => `bytes=${first}-${last}`),
  )
  fc.assert(
    fc.property(value, fc.nat(), (text, length) => {
      const ranges = parseRanges(text, length)
      if (typeof ranges === 'string') return
      assert.ok(totalOctets(ranges) <= length)
      for (const { first, last } of ranges) {
        assert.ok(0 <= first && first <= last && last < length)
        assert.ok(Number.isSafeInteger(first) && Number.isSafeInteger(last))
      }
    }),
  )
})

test('formatContentRange() says positions and length (RFC 9110 §14.4)', () => {
  assert.equal(formatContentRange({ first: 42, last: 1233 }, 1234), 'bytes 42-1233/1234')
  assert.equal(formatContentRange(null, 1234), 'bytes */1234')
})
