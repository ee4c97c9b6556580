import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hex, octetsOf } from '../../../test/hex.ts'
import {
  compareNames,
  countLabels,
  isWithin,
  lowerName,
  parentName,
  parseName,
  printName,
  ROOT,
  readName,
  toAscii,
} from './name.ts'

const origin = name('example.com.')

test('parseName() writes labels behind their lengths and completes relative names (RFC 1035 §5.1)', () => {
  const cases: [text: string, wire: string][] = [
    ['.', '00'],
    ['@', '07 6578616d706c65 03 636f6d 00'],
    ['www', '03 777777 07 6578616d706c65 03 636f6d 00'],
    ['www.', '03 777777 00'],
    ['*.a.', '01 2a 01 61 00'],
    ['_443._tcp.', '04 5f343433 04 5f746370 00'],
    ['WwW.', '03 577757 00'],
    ['a\\.b.c.', '03 612e62 01 63 00'],
    ['\\097\\.\\\\.', '03 612e5c 00'],
    ['\\000\\255.', '02 00ff 00'],
    ['\\@.', '01 40 00'],
    ['bücher.', '0d 786e2d2d62636865722d6b7661 00'],
  ]
  for (const [text, wire] of cases) assert.equal(hex(name(text, origin)), wire.replaceAll(' ', ''), text)
})

test('parseName() says what was written and what is too long (RFC 1035 §2.3.4)', () => {
  const cases: [text: string, message: RegExp][] = [
    ['', /The name is empty/],
    ['a..b', /"a..b" has an empty label/],
    ['.a', /empty label/],
    ['..', /empty label/],
    ['a\\', /backslash/],
    ['\\256', /backslash/],
    ['\\12', /backslash/],
    [`${'x'.repeat(64)}.com`, /a label of 64 octets, and 63 is the most/],
    [`${'x'.repeat(300)}`, /a label of 300 octets/],
    [`${'x.'.repeat(122)}`, /^$/],
    [`${'x.'.repeat(128)}`, /takes 257 octets, and 255 is the most/],
    ['ü%41', /no form in ASCII/],
  ]
  for (const [text, message] of cases) {
    const parsed = parseName(text)
    assert.match(typeof parsed === 'string' ? parsed : '', message, text)
  }
})

test('A name may take 255 octets and a label 63, not more (RFC 1035 §2.3.4)', () => {
  const label = 'x'.repeat(63)
  assert.equal(name(`${label}.${label}.${label}.${'x'.repeat(61)}.`).length, 255)
  assert.equal(typeof parseName(`${label}.${label}.${label}.${'x'.repeat(62)}.`), 'string')
  // relative names count with their origin
  assert.equal(name(`${label}.${label}.${label}.${'x'.repeat(49)}`, origin).length, 255)
  assert.equal(typeof parseName(`${label}.${label}.${label}.${'x'.repeat(50)}`, origin), 'string')
})

test('printName() escapes what a master file gives a meaning to (RFC 1035 §5.1, RFC 4343 §2.1)', () => {
  const cases: [wire: string, text: string][] = [
    ['00', '.'],
    ['01 40 00', '\\@.'],
    ['0a 2e5c223b284029242061 00', '\\.\\\\\\"\\;\\(\\@\\)\\$\\032a.'],
    ['03 00 7f ff 00', '\\000\\127\\255.'],
    ['02 5f2a 01 2d 00', '_*.-.'],
  ]
  for (const [wire, text] of cases) assert.equal(printName(octetsOf(wire)), text)
})

test('Every name comes back from its presentation form (RFC 4343 §2.1)', () => {
  fc.assert(fc.property(anyName(), (wire) => assert.deepEqual(name(printName(wire)), wire)))
})

test('readName() follows pointers to what is before them (RFC 1035 §4.1.4)', () => {
  // 0: b.   3: a. → 0   7: → 3   9: root
  const message = octetsOf('01 62 00  01 61 c0 00  c0 03  00')
  assert.deepEqual(readName(message, 0), { name: octetsOf('01 62 00'), end: 3 })
  assert.deepEqual(readName(message, 3), { name: octetsOf('01 61 01 62 00'), end: 7 })
  assert.deepEqual(readName(message, 7), { name: octetsOf('01 61 01 62 00'), end: 9 })
  assert.deepEqual(readName(message, 9), { name: ROOT, end: 10 })
})

test('readName() refuses loops, pointers forward, unknown label types and names without end', () => {
  const cases: [message: string, offset: number, why: RegExp][] = [
    ['c0 00', 0, /pointer at octet 0 leads to 0/],
    ['01 61 c0 00', 0, /leads to 0, which is not before 0/],
    ['c0 02 00', 0, /leads to 2/],
    ['01 61 c0 04 c0 02', 4, /leads to 4, which is not before 2/],
    ['40 61 00', 0, /unknown type 1/],
    ['80 61 00', 0, /unknown type 2/],
    ['05 61', 0, /past the end/],
    ['01 61', 0, /past the end/],
    ['c0', 0, /past the end/],
    ['', 0, /past the end/],
    [`${'3f'.padEnd(128, '61').repeat(4)}00`, 0, /more than 255 octets/],
  ]
  for (const [message, offset, why] of cases) {
    const read = readName(octetsOf(message), offset)
    assert.match(typeof read === 'string' ? read : '', why, message)
  }
})

test('readName() ends on any octets, with a name of at most 255', () => {
  const message = fc.uint8Array({ maxLength: 600 })
  fc.assert(
    fc.property(message, fc.nat(600), (octets, offset) => {
      const read = readName(octets, offset)
      if (typeof read === 'string') return
      assert.ok(read.name.length <= 255 && read.end <= octets.length)
      assert.deepEqual(name(printName(read.name)), read.name)
    }),
  )
})

test('lowerName() turns ASCII letters only (RFC 4343 §3)', () => {
  const label = 'A'.repeat(63)
  assert.equal(printName(lowerName(name(`${label}.Z[\\192.`))), `${label.toLowerCase()}.z[\\192.`)
})

test('lowerName() leaves its argument as it is, a Buffer too', () => {
  const upper = Buffer.from(name('A.'))
  assert.equal(printName(lowerName(upper)), 'a.')
  assert.equal(printName(upper), 'A.')
})

test('isWithin() compares whole labels from the right', () => {
  const cases: [text: string, ancestor: string, expected: boolean][] = [
    ['example.com.', 'example.com.', true],
    ['a.b.example.com.', 'example.com.', true],
    ['example.com.', '.', true],
    ['notexample.com.', 'example.com.', false],
    ['com.', 'example.com.', false],
    ['a\\007example.com.', 'example.com.', false],
    ['example.org.', 'example.com.', false],
  ]
  for (const [text, ancestor, expected] of cases) {
    assert.equal(isWithin(name(text), name(ancestor)), expected, text)
  }
})

test('parentName() and countLabels() take labels from the left', () => {
  assert.equal(printName(parentName(name('a.b.c.'))), 'b.c.')
  assert.equal(printName(parentName(ROOT)), '.')
  assert.deepEqual(
    ['.', 'a.', 'a.b.', 'a\\.b.'].map((text) => countLabels(name(text))),
    [0, 1, 2, 1],
  )
})

test('compareNames() gives the order of the example (RFC 4034 §6.1)', () => {
  const sorted = [
    'example.',
    'a.example.',
    'yljkjljk.a.example.',
    'z.a.example.',
    'zabc.a.example.',
    'z.example.',
  ]
  const more = ['\\001.z.example.', '*.z.example.', '\\200.z.example.']
  const expected = [...sorted, ...more]
  assert.deepEqual(
    [...expected]
      .reverse()
      .map((text) => name(text))
      .sort(compareNames)
      .map(printName),
    expected,
  )
})

test('toAscii() turns U-labels into A-labels (UTS 46) and leaves the rest as it is', () => {
  const cases: [text: string, expected: string | undefined][] = [
    ['WWW.Example', 'WWW.Example'],
    ['*.Bücher.example.', '*.xn--bcher-kva.example.'],
    ['_dmarc.faß.de', '_dmarc.xn--fa-hia.de'],
    ['a\\.b.ü', 'a\\.b.xn--tda'],
    ['日本。jp', 'xn--wgv71a.jp'],
    ['１２３.example', '123.example'],
    ['☃.net', 'xn--n3h.net'],
    ['ü..de', 'xn--tda..de'],
    ['ü/b', undefined],
    ['ü%41', undefined],
    ['ü\\046b', undefined],
    ['xn--ü', undefined],
    ['\u00ad.de', undefined],
  ]
  for (const [text, expected] of cases) assert.equal(toAscii(text), expected, text)
})

function name(text: string, base?: Uint8Array): Uint8Array {
  const parsed = parseName(text, base)
  assert.ok(typeof parsed !== 'string', String(parsed))
  return parsed
}

function anyName(): fc.Arbitrary<Uint8Array> {
  return fc
    .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 3 })
    .map((labels) => Uint8Array.from([...labels.flatMap((label) => [label.length, ...label]), 0]))
}
