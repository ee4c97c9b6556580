import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type Fields, fieldsOf, NameSet, serializeFields } from './fields.ts'
import { parseFieldLines } from './head.ts'
import { hasToken, listMembers } from './list.ts'
import { isRefusal } from './refusal.ts'

const limits = { headerOctets: 4096, headerCount: 20, targetOctets: 256 }

function read(lines: string): Fields {
  const fields = parseFieldLines(`${lines}\r\n`, 0, limits)
  assert.ok(!isRefusal(fields))
  return fields
}

describe('fields', () => {
  test('are found without case, first or all, in order (RFC 9110 §5, RFC 9110 §5.3)', () => {
    const fields = fieldsOf([
      ['Set-Cookie', 'a=b'],
      ['X', 'y'],
      ['set-cookie', 'c=d'],
    ])
    assert.equal(fields.get('set-cookie'), 'a=b')
    assert.deepEqual(fields.all('set-cookie'), ['a=b', 'c=d'])
    assert.equal(fields.get('set-cooki'), undefined)
    assert.equal(fields.size, 3)
  })

  test('do not take one token character for another', () => {
    assert.equal(read('x^: 1\r\n').get('x~'), undefined)
  })

  test('of one’s own cannot smuggle lines (RFC 9110 §5.5)', () => {
    for (const value of ['a\r\nB: c', 'a\nb', 'a\0', 'a\u0100']) {
      assert.throws(() => fieldsOf([['A', value]]), RangeError)
    }
    for (const name of ['', 'A B', 'A:', 'Ä']) assert.throws(() => fieldsOf([[name, 'a']]), RangeError)
  })

  test('are serialised as they were written, without those to skip', () => {
    const fields = read('A: 1\r\nConnection: x \r\nB:2\t\r\nX: 3\r\nC: 4\r\n')
    const skip = new NameSet(['Connection', 'x'])
    assert.equal(serializeFields(fields, skip), 'A: 1\r\nB:2\t\r\nC: 4\r\n')
    assert.equal(serializeFields(fields, skip), 'A: 1\r\nB:2\t\r\nC: 4\r\n')
    assert.equal(serializeFields(fields), 'A: 1\r\nConnection: x \r\nB:2\t\r\nX: 3\r\nC: 4\r\n')
    assert.equal(serializeFields(fields, skip, new NameSet(['A', 'c'])), 'B:2\t\r\n')
  })

  test('are the same after serialising and parsing', () => {
    const name = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/)
    const value = fc.stringMatching(/^[\t -~\x80-\xff]{0,12}$/)
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 8 }), (pairs) => {
        const fields = fieldsOf(pairs)
        const again = read(serializeFields(fields))
        const expected = pairs.map(([n, v]) => [n, v.replace(/^[ \t]+|[ \t]+$/g, '')])
        assert.deepEqual(pairsOf(fields), expected)
        assert.deepEqual(pairsOf(again), expected)
      }),
    )
  })
})

describe('lists', () => {
  const cases: [values: string[], members: string[]][] = [
    [['a, b,c'], ['a', 'b', 'c']],
    [
      ['a', 'b , ,'],
      ['a', 'b'],
    ],
    [[', ,'], []],
    [['"a, b", c'], ['"a, b"', 'c']],
    [['"a\\", b", c'], ['"a\\", b"', 'c']],
    [['a="b,c";d, e'], ['a="b,c";d', 'e']],
    [['"a, b'], ['"a, b']],
  ]
  for (const [values, members] of cases) {
    test(`${JSON.stringify(values)} has the members ${JSON.stringify(members)} (RFC 9110 §5.6.1)`, () => {
      assert.deepEqual(listMembers(values), members)
    })
  }

  test('name a token in any line, without case (RFC 9110 §5.6.2)', () => {
    const fields = fieldsOf([
      ['Connection', 'Keep-Alive, X'],
      ['Connection', 'Upgrade'],
    ])
    assert.ok(hasToken(fields, 'connection', 'upgrade'))
    assert.ok(hasToken(fields, 'connection', 'keep-alive'))
    assert.ok(!hasToken(fields, 'connection', 'close'))
    assert.ok(!hasToken(fields, 'te', 'trailers'))
  })
})

function pairsOf(fields: Fields): [string, string][] {
  const pairs: [string, string][] = []
  fields.each((name, value) => pairs.push([name, value]))
  return pairs
}
