import assert from 'node:assert/strict'
import test from 'node:test'
import { chooseFallBack, type FallBack, wishWith } from './fall-back.ts'
import { problem } from './order.ts'
import type { ChallengeType } from './plan.ts'

const WILD = ['a.test', '*.a.test']
const ONE = ['a.test']
const ALL: ChallengeType[] = ['dns-01', 'http-01']
const DNS: ChallengeType[] = ['dns-01']

const cases: readonly [
  type: string,
  names: readonly string[],
  challenges: readonly ChallengeType[],
  single: readonly string[],
  chosen: FallBack['without'] | null,
][] = [
  ['caa', WILD, ALL, ONE, 'wildcard'],
  ['rejectedIdentifier', WILD, DNS, ONE, 'wildcard'],
  ['caa', ONE, ALL, [], null],
  ['caa', WILD, ALL, [], null],
  ['unauthorized', WILD, ALL, ONE, 'dns'],
  ['delegatedAway', ONE, ALL, [], 'dns'],
  ['unauthorized', WILD, DNS, ONE, null],
  ['unauthorized', ONE, ['http-01'], [], null],
  ['rateLimited', WILD, ALL, ONE, null],
  ['unreachable', WILD, ALL, ONE, null],
]

for (const [type, names, challenges, single, chosen] of cases) {
  test(`chooseFallBack(): ${type} for ${names.join(' ')} by ${challenges.join(' ')} leads to ${chosen}`, () => {
    assert.equal(chooseFallBack(problem(type, ''), { names, challenges }, single), chosen)
  })
}

test('chooseFallBack() of several problems looks at the first of them (RFC 8555 §6.7.1)', () => {
  const subproblems = [{ name: '*.a.test', problem: problem('caa', '') }]
  const found = { type: 'compound', detail: '', subproblems }
  assert.equal(chooseFallBack(found, { names: WILD, challenges: ALL }, ONE), 'wildcard')
})

test('wishWith() takes wildcards away, and proofs over DNS where those were not found', () => {
  const stands = { of: WILD, at: 0, message: '', fix: '' }
  const wish = { names: WILD, challenges: ALL }
  assert.equal(wishWith(null, wish, ONE), wish)
  assert.deepEqual(wishWith({ ...stands, without: 'wildcard' }, wish, ONE), { names: ONE, challenges: ALL })
  assert.deepEqual(wishWith({ ...stands, without: 'dns' }, wish, ONE), {
    names: ONE,
    challenges: ['http-01'],
  })
})
