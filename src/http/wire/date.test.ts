import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDate, parseDate } from './date.ts'

const NOW = Date.UTC(2026, 6, 1)
const EXAMPLE = 784_111_777_000

test('parseDate() reads all three forms (RFC 9110 §5.6.7)', () => {
  const cases: [string, number | undefined][] = [
    ['Sun, 06 Nov 1994 08:49:37 GMT', EXAMPLE],
    ['Sunday, 06-Nov-94 08:49:37 GMT', EXAMPLE],
    ['Sun Nov  6 08:49:37 1994', EXAMPLE],
    ['Sat Dec 26 08:49:37 2020', Date.UTC(2020, 11, 26, 8, 49, 37)],
    ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['Mon, 01 Jan 0001 00:00:00 GMT', -62_135_596_800_000],
  ]
  for (const [text, expected] of cases) assert.equal(parseDate(text, NOW), expected, text)
})

test('parseDate() minds no case (RFC 9111 §4.2)', () => {
  for (const text of [
    'sun, 06 nov 1994 08:49:37 gmt',
    'SUNDAY, 06-NOV-94 08:49:37 GMT',
    'sUN NOV  6 08:49:37 1994',
  ])
    assert.equal(parseDate(text, NOW), EXAMPLE, text)
})

test('parseDate() refuses what is none of them (RFC 9110 §5.6.7)', () => {
  const texts = [
    '',
    'now',
    '0',
    '784111777',
    '1994-11-06T08:49:37Z',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ]
  for (const text of texts) assert.equal(parseDate(text, NOW), undefined, text)
})

test('parseDate() takes a two-digit year more than 50 years ahead for one in the past (RFC 9110 §5.6.7)', () => {
  const years: [string, number][] = [
    ['26', 2026],
    ['76', 2076],
    ['77', 1977],
    ['99', 1999],
    ['00', 2000],
  ]
  for (const [digits, year] of years) {
    assert.equal(parseDate(`Monday, 01-Jan-${digits} 00:00:00 GMT`, NOW), Date.UTC(year, 0, 1), digits)
  }
})

test('parseDate() reads back what formatDate() writes', () => {
  const second = fc.integer({ min: 0, max: 253_402_300_799 })
  fc.assert(fc.property(second, (s) => assert.equal(parseDate(formatDate(s * 1000), NOW), s * 1000)))
})
