import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastVerdict, type Verdict, Verdicts } from './verdicts.ts'

const at = (atMs: number): Verdict => ({ status: 200, reason: 'private', atMs })

test('the last verdicts are known, no more than 500, until a response is kept', () => {
  const verdicts = new Verdicts()
  verdicts.note('first', at(0))
  for (let i = 0; i < 499; i++) verdicts.note(`key ${i}`, at(i))
  verdicts.note('first', at(500))
  verdicts.note('one more', at(501))
  const keys = verdicts.list().map(([key]) => key)
  assert.equal(keys.length, 500)
  assert.ok(keys.includes('first') && !keys.includes('key 0'))
  verdicts.forget('first')
  assert.equal(lastVerdict(verdicts.list(), 'first'), undefined)
})

test('of several workers the one that saw the last response is believed', () => {
  const last = lastVerdict(
    [
      ['a', at(1)],
      ['a', at(3)],
      ['b', at(9)],
      ['a', at(2)],
    ],
    'a',
  )
  assert.equal(last?.atMs, 3)
})
