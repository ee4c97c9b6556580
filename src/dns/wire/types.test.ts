import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLASS, className, classNumber, isMetaType, rcodeName, TYPE, typeName, typeNumber } from './types.ts'

test('Types and classes are written by mnemonic in any case or by number (RFC 1035 §3.2.4, RFC 3597 §5)', () => {
  const cases: [text: string, number: number | undefined][] = [
    ['A', 1],
    ['https', 65],
    ['NSAP-PTR', 23],
    ['TYPE65280', 65280],
    ['type1', 1],
    ['TYPE0', 0],
    ['TYPE65536', undefined],
    ['TYPE01', undefined],
    ['TYPE', undefined],
    ['TYPE-1', undefined],
    ['constructor', undefined],
    ['', undefined],
  ]
  for (const [text, number] of cases) assert.equal(typeNumber(text), number, text)
  assert.deepEqual([typeName(65), typeName(65280)], ['HTTPS', 'TYPE65280'])
  assert.deepEqual(
    [classNumber('in'), classNumber('CLASS3'), classNumber('A')],
    [CLASS.IN, CLASS.CH, undefined],
  )
  assert.deepEqual([className(1), className(32)], ['IN', 'CLASS32'])
})

test('Each mnemonic comes back from its number', () => {
  for (const [mnemonic, number] of Object.entries(TYPE)) {
    assert.equal(typeName(number), mnemonic)
    assert.equal(typeNumber(mnemonic), number)
  }
})

test('isMetaType() tells what stands in no zone (RFC 6895 §3.1)', () => {
  assert.deepEqual([0, 41, 128, 249, 255].map(isMetaType), [true, true, true, true, true])
  assert.deepEqual([1, 65, 127, 256, 65280].map(isMetaType), [false, false, false, false, false])
})

test('Rcodes from 16 on have names too (RFC 2136 §2.2, RFC 6891 §6.1.3)', () => {
  assert.deepEqual([0, 3, 9, 16, 12].map(rcodeName), ['NOERROR', 'NXDOMAIN', 'NOTAUTH', 'BADVERS', 'RCODE12'])
})
