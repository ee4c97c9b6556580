import assert from 'node:assert/strict'
import { test } from 'node:test'
import { showAge, showNumber, showOctets, showSeconds } from './figures.ts'
import { alignedTable, type Column, clip, wrap } from './table.ts'

const shown: [string, string][] = [
  [showNumber(0), '0'],
  [showNumber(0.34), '0.3'],
  [showNumber(42.4), '42'],
  [showNumber(9999), '9999'],
  [showNumber(12_345), '12k'],
  [showNumber(4_540_000), '4.5M'],
  [showOctets(0), '0 B'],
  [showOctets(1234), '1.2 kB'],
  [showOctets(45_600_000_000), '46 GB'],
  [showSeconds(undefined), '–'],
  [showSeconds(0.000_25), '250 µs'],
  [showSeconds(0.0123), '12 ms'],
  [showSeconds(2.5), '2.5 s'],
  [showAge(0.4), '0s'],
  [showAge(42), '42s'],
  [showAge(3 * 3600 + 125), '3h 2m'],
  [showAge(86_400 * 12 + 3600), '12d 1h'],
]
for (const [text, wanted] of shown) test(`a person reads ${wanted}`, () => assert.equal(text, wanted))

const COLUMNS: readonly Column[] = [
  { title: 'HOST' },
  { title: 'REQ/S', align: 'right' },
  { title: 'P50', align: 'right', isOptional: true },
  { title: 'WHY', isFree: true },
]
const ROWS = [
  ['https://a-rather-long-name.example.com/', '7', '1.2 ms', 'connect ECONNREFUSED'],
  ['https://b.example.com/', '1234', '–', ''],
]

test('a table is aligned, numbers to the right', () => {
  assert.deepEqual(alignedTable(COLUMNS, ROWS, 100), [
    'HOST                                     REQ/S     P50  WHY',
    'https://a-rather-long-name.example.com/      7  1.2 ms  connect ECONNREFUSED',
    'https://b.example.com/                    1234       –',
  ])
})

test('on a narrow terminal optional columns go first, then names are cut in the middle', () => {
  assert.deepEqual(alignedTable(COLUMNS, ROWS, 38), [
    'HOST                        REQ/S  WHY',
    'https://a-rat…example.com/      7  connect ECONNREFUSED',
    'https://b.example.com/       1234',
  ])
})

test('a line is cut at the edge without its colours counting', () => {
  const red = '\x1b[31mred\x1b[39m'
  assert.equal(clip(`${red} line`, 8), `${red} line`)
  assert.equal(clip(`${red} line`, 6), `${red} l…`)
})

test('words that do not fit go on in the next line', () => {
  assert.deepEqual(wrap(['one', 'two', 'three'], ' · ', 10), ['one · two', 'three'])
})
