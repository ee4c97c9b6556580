import assert from 'node:assert/strict'
import test from 'node:test'
import { nextForName, nextStep, problem } from './order.ts'
import type { Authorization, Challenge, Order } from './wire/objects.ts'

const order: Order = {
  status: 'pending',
  names: ['a.test'],
  authorizations: [],
  finalize: '',
  certificate: undefined,
  problem: undefined,
}
const caa = problem('caa', 'no')

const steps: [Partial<Order>, object][] = [
  [{ status: 'pending' }, { do: 'authorize' }],
  [{ status: 'ready' }, { do: 'finalize' }],
  [{ status: 'processing' }, { do: 'wait' }],
  [{ status: 'valid' }, { do: 'wait' }],
  [
    { status: 'valid', certificate: 'https://a.test/c' },
    { do: 'download', url: 'https://a.test/c' },
  ],
  [
    { status: 'invalid', problem: caa },
    { do: 'give up', problem: caa },
  ],
]

for (const [change, step] of steps) {
  test(`nextStep(): ${JSON.stringify(change)} (RFC 8555 §7.1.6)`, () => {
    assert.deepEqual(nextStep({ ...order, ...change }), step)
  })
}

const challenge = (type: string, status: Challenge['status'] = 'pending'): Challenge => {
  return {
    type,
    url: type,
    status,
    token: 't',
    issuerNames: [],
    problem: status === 'invalid' ? caa : undefined,
  }
}
const authorization = (status: Authorization['status'], ...challenges: Challenge[]): Authorization => {
  return { status, name: 'a.test', isWildcard: true, challenges }
}
const [dns, http] = [challenge('dns-01'), challenge('http-01')]

const names: [what: string, Authorization, step: object][] = [
  ['done before', authorization('valid', dns), { do: 'nothing' }],
  [
    'the first that is allowed',
    authorization('pending', http, dns),
    { do: 'answer', challenge: dns, answered: false },
  ],
  [
    'one under way is waited for',
    authorization('pending', dns, challenge('http-01', 'processing')),
    { do: 'answer', challenge: challenge('http-01', 'processing'), answered: true },
  ],
  ['refused', authorization('invalid', challenge('dns-01', 'invalid')), { do: 'give up', problem: caa }],
]

for (const [what, given, step] of names) {
  test(`nextForName(): ${what} (RFC 8555 §7.1.6)`, () => {
    assert.deepEqual(nextForName(given, ['dns-01', 'http-01']), step)
  })
}

test('nextForName() names what is offered and what is allowed when they do not meet', () => {
  const step = nextForName(authorization('pending', http), ['dns-01'])
  assert.ok(step.do === 'give up')
  assert.equal(step.problem.detail, 'For *.a.test the authority offers http-01; the file allows dns-01.')
  const closed = nextForName(authorization('expired'), ['dns-01'])
  assert.ok(closed.do === 'give up')
  assert.match(closed.problem.detail, /it is expired/)
})
