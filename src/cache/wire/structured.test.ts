import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readDictionary, readStrings } from './structured.ts'

describe('readDictionary()', () => {
  const cases: [string[], unknown][] = [
    [['a=1, b, c="x", d=tok;p=1'], { a: 1, b: true, c: 'x', d: 'tok' }],
    [['a=1', 'a=2'], { a: 2 }],
    [['a=?0, b=1.5, c=(1 2), d=:aGk=:'], { a: false, b: 'other', c: 'other', d: 'other' }],
    [['A=1'], undefined],
    [['a =1'], undefined],
    [['a=1,'], undefined],
    [['a=1, &'], undefined],
    [['a=1234567890123456'], undefined],
    [[''], undefined],
  ]
  for (const [values, wanted] of cases) {
    test(`reads ${JSON.stringify(values)} (RFC 9651 §3.2)`, () => {
      const members = readDictionary(values)
      const read =
        members &&
        [...members].map(([name, member]) => [name, 'value' in member ? member.value : member.kind])
      assert.deepEqual(read && Object.fromEntries(read), wanted)
    })
  }
})

test('readStrings() takes lists of strings and nothing else (RFC 9651 §3.1)', () => {
  assert.deepEqual(readStrings(['"a", "b";x', '"c"']), ['a', 'b', 'c'])
  assert.equal(readStrings(['"a", b']), undefined)
  assert.equal(readStrings(['"a']), undefined)
  assert.deepEqual(readStrings([]), [])
})
