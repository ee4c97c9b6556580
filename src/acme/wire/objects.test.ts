import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { readAuthorization, readDirectory, readOrder, readProblem, readWindow } from './objects.ts'

const endpoints = { newNonce: 'n', newAccount: 'a', newOrder: 'o' }

test('readDirectory() takes what it knows (RFC 8555 §7.1.1)', () => {
  const meta = { externalAccountRequired: true, profiles: { short: 'six days' }, termsOfService: 't' }
  assert.deepEqual(readDirectory({ ...endpoints, keyChange: 'k', renewalInfo: 'r', meta, other: 1 }), {
    ...endpoints,
    keyChange: 'k',
    renewalInfo: 'r',
    termsOfService: 't',
    needsBinding: true,
    profiles: { short: 'six days' },
  })
  assert.match(String(readDirectory({})), /has no newNonce/)
  assert.match(String(readDirectory('<html>')), /no JSON object/)
})

test('readOrder() wants status and finalize (RFC 8555 §7.1.3)', () => {
  const order = readOrder({ status: 'ready', finalize: 'f', identifiers: [{ type: 'dns', value: 'a.test' }] })
  assert.ok(typeof order !== 'string')
  assert.deepEqual(order.names, ['a.test'])
  assert.match(String(readOrder({ status: 'odd', finalize: 'f' })), /lacks status/)
})

test('readAuthorization() leaves out challenges whose token is no base64url (RFC 8555 §7.1.4, §7.1.5, §8.1)', () => {
  const challenge = { type: 'http-01', url: 'u', status: 'pending' }
  const challenges = [
    { ...challenge, token: 'abc_-' },
    { ...challenge, token: '../../etc' },
    { ...challenge, token: 'a"b' },
  ]
  const read = readAuthorization({
    status: 'pending',
    identifier: { type: 'dns', value: 'a.test' },
    challenges,
  })
  assert.ok(typeof read !== 'string')
  assert.deepEqual(
    read.challenges.map(({ token }) => token),
    ['abc_-'],
  )
  assert.equal(read.isWildcard, false)
})

test('readProblem() shortens the type and keeps subproblems (RFC 8555 §6.7, §6.7.1)', () => {
  const urn = 'urn:ietf:params:acme:error:'
  const part = { type: `${urn}caa`, detail: 'no', identifier: { type: 'dns', value: 'a.test' } }
  const problem = readProblem({ type: `${urn}compound`, detail: 'several', subproblems: [part] })
  assert.equal(problem?.type, 'compound')
  assert.deepEqual(problem?.subproblems, [
    { name: 'a.test', problem: { type: 'caa', detail: 'no', subproblems: [] } },
  ])
  assert.equal(readProblem({})?.type, 'about:blank')
  assert.equal(readProblem('text'), undefined)
})

test('readWindow() wants an end after its beginning (RFC 9773 §4.2, RFC 3339 §5.6)', () => {
  const window = (start: string, end: string) => ({ suggestedWindow: { start, end } })
  const [first, second] = ['2026-01-02T04:00:00Z', '2026-01-03T04:00:00Z']
  assert.equal(readWindow(window(first, second))?.start, Date.parse(first))
  assert.equal(readWindow(window(second, first)), undefined)
  assert.equal(readWindow(window('soon', second)), undefined)
  assert.equal(readWindow({}), undefined)
})

test('no JSON makes a reader throw', () => {
  const readers = [readAuthorization, readDirectory, readOrder, readProblem, readWindow]
  const keys = [
    'status',
    'identifier',
    'challenges',
    'meta',
    'profiles',
    'suggestedWindow',
    'subproblems',
    'detail',
  ]
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.jsonValue(),
      fc.constantFrom('pending', 'valid', 'dns'),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie('any')),
    ),
  })).any
  fc.assert(
    fc.property(value, (json) => {
      for (const read of readers) read(json)
    }),
  )
})
