import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { deltaSeconds, listedFields, parseCacheControl } from './cache-control.ts'

describe('parseCacheControl()', () => {
  const cases: [string[], Record<string, string | null>][] = [
    [[], {}],
    [['max-age=60'], { 'max-age': '60' }],
    [['No-Store , ,MAX-AGE=1'], { 'no-store': null, 'max-age': '1' }],
    [['a="b, c", d'], { a: 'b, c', d: null }],
    [['a="x\\"y"'], { a: 'x"y' }],
    [['a="x'], { a: '' }],
    [['max-age =1', 'b'], { b: null }],
    [['max-age= 1'], { 'max-age': ' 1' }],
    [['max-age=1', 'max-age=2'], { 'max-age': '1' }],
    [['private="a"', 'private="b"'], { private: 'a,b' }],
    [['private="a", private'], { private: null }],
    [['=1, ;, a=b=c'], { a: 'b=c' }],
  ]
  for (const [values, wanted] of cases) {
    test(`reads ${JSON.stringify(values)} (RFC 9111 §5.2)`, () => {
      assert.deepEqual(Object.fromEntries(parseCacheControl(values)), wanted)
    })
  }

  test('takes any text without throwing, and gives lower-case tokens', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3 }), (values) => {
        for (const name of parseCacheControl(values).keys()) assert.match(name, /^[!#$%&'*+\-.^_`|~0-9a-z]+$/)
      }),
    )
  })
})

describe('deltaSeconds()', () => {
  const cases: [string, number | undefined][] = [
    ['a=5', 5],
    ['a="5"', 5],
    ['a=005', 5],
    ['a=99999999999', 2 ** 31],
    ['a=-1', 0],
    ['a=1.5', 0],
    ["a='1'", 0],
    ['a', 0],
    ['b=5', undefined],
  ]
  for (const [text, wanted] of cases) {
    test(`${text} is ${wanted} (RFC 9111 §1.2.2)`, () => {
      assert.equal(deltaSeconds(parseCacheControl([text]), 'a'), wanted)
    })
  }
})

test('listedFields() gives names in lower case', () => {
  assert.deepEqual(listedFields('A, b ,'), ['a', 'b'])
})
