import assert from 'node:assert/strict'
import test from 'node:test'
import { problem } from './order.ts'
import { sayProblem } from './say.ts'

const shown = {
  authority: 'ca.test',
  names: ['a.test', '*.a.test'],
  shown: ['_acme-challenge.a.test. TXT "x"'],
  seen: 'Seen from here, a.test is answered by ns.elsewhere.net.',
}

test('sayProblem() says what was looked for, what was heard, what is seen, and what to do (RFC 8555 §6.7)', () => {
  const { message, fix } = sayProblem(problem('unauthorized', 'Correct value not found'), shown)
  assert.equal(
    message,
    'ca.test found no proof, or another one, that a.test, *.a.test is yours. Portico showed _acme-challenge.a.test. TXT "x". It said: Correct value not found. Seen from here, a.test is answered by ns.elsewhere.net.',
  )
  assert.match(fix, /^let the registrar delegate the domain to this machine/)
})

test('sayProblem() of several problems advises on the first that somebody can mend (RFC 8555 §6.7.1)', () => {
  const parts = [
    { name: 'a.test', problem: problem('serverInternal', 'oops') },
    { name: '*.a.test', problem: problem('caa', 'forbidden') },
  ]
  const { message } = sayProblem({ ...problem('compound', 'two'), subproblems: parts }, shown)
  assert.match(message, /^CAA records forbid ca\.test .*It said: two a\.test: oops \*\.a\.test: forbidden\./)
})

test('sayProblem() has something to say of what it does not know', () => {
  const { message, fix } = sayProblem(problem('userActionRequired', ''), { ...shown, seen: '' })
  assert.equal(
    message,
    'ca.test issued no certificate for a.test, *.a.test. It said userActionRequired and no more.',
  )
  assert.match(fix, /tries again by itself/)
})
