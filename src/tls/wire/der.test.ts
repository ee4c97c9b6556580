import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  bitString,
  boolean,
  elementAt,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  time,
} from './der.ts'

const cases: readonly [what: string, element: Buffer, hex: string][] = [
  ['an integer without a high bit', integer(Buffer.of(0x7f)), '02017f'],
  ['an integer with a high bit gets a zero octet', integer(Buffer.of(0x80)), '02020080'],
  ['an integer loses zeros in front', integer(Buffer.of(0, 0, 1)), '020101'],
  ['zero', integer(Buffer.of(0)), '020100'],
  ['no octets are zero', integer(Buffer.of()), '020100'],
  ['true', boolean(true), '0101ff'],
  ['an empty sequence', sequence(), '3000'],
  ['bits that do not count', bitString(Buffer.of(0x80), 7), '03020780'],
  ['an identifier below 128', objectIdentifier('2.5.29.17'), '0603551d11'],
  ['an identifier above 128', objectIdentifier('1.2.840.10045.4.3.2'), '06082a8648ce3d040302'],
]

for (const [what, element, hex] of cases) {
  test(`DER of ${what} is ${hex}`, () => assert.equal(element.toString('hex'), hex))
}

test('time() is UTCTime until 2049 and GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5)', () => {
  const last = time(Date.UTC(2049, 11, 31, 23, 59, 59, 999))
  assert.deepEqual([last[0], last.subarray(2).toString()], [0x17, '491231235959Z'])
  const first = time(Date.UTC(2050, 0, 1))
  assert.deepEqual([first[0], first.subarray(2).toString()], [0x18, '20500101000000Z'])
})

test('elementAt() finds what was written, whatever its length', () => {
  for (const length of [0, 1, 127, 128, 255, 256, 65_535, 65_536]) {
    const bytes = Buffer.concat([Buffer.of(0, 0), octetString(Buffer.alloc(length))])
    const { tag, start, end } = elementAt(bytes, 2)
    assert.deepEqual([tag, end - start, end], [0x04, length, bytes.length])
  }
})

test('elementAt() never leads outside the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), fc.nat(12), (bytes, offset) => {
      try {
        assert.ok(elementAt(bytes, offset).end <= bytes.length)
      } catch (error) {
        assert.ok(error instanceof RangeError)
      }
    }),
  )
})
