import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseBase32, parseBase64, parseHex, printBase32, printHex } from './encoding.ts'

test('Base64 has its padding and no other characters (RFC 4648 §4)', () => {
  assert.deepEqual(parseBase64('Zm9v'), Buffer.from('foo'))
  assert.deepEqual(parseBase64('Zg=='), Buffer.from('f'))
  for (const text of ['', 'Zg', 'Zg=', 'Z===', 'Zm9v=', 'Zm-v', 'Zm9v\n'])
    assert.equal(parseBase64(text), undefined, text)
})

test('Base32 has the alphabet of hashed owners and no padding (RFC 4648 §7, RFC 5155 §3.3)', () => {
  for (const [text, printed] of [
    ['f', 'CO'],
    ['fo', 'CPNG'],
    ['foo', 'CPNMU'],
    ['foob', 'CPNMUOG'],
    ['fooba', 'CPNMUOJ1'],
  ]) {
    assert.equal(printBase32(Buffer.from(text!)), printed)
  }
  for (const text of ['', 'C', 'CP', 'CPN', 'CO======', 'CW'])
    assert.equal(parseBase32(text), undefined, text)
})

test('Octets come back from hexadecimal and Base32', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (octets) => {
      assert.deepEqual(new Uint8Array(parseHex(printHex(octets))!), octets)
      assert.deepEqual(parseBase32(printBase32(octets).toLowerCase()), octets)
    }),
  )
})
