import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRefusal } from '#http/wire/refusal.ts'
import { type Asker, admit, type Right } from './admit.ts'
import { planBucket } from './plan.ts'

const nobody: Asker = { grant: null, isLocal: false, isCrossSite: false }
const key = { keyId: 'k', mayRead: true, mayWrite: true, prefix: 'p/', isExact: false }
const keys = { k: { secret: './secret' } }

test('who may do what: closed when in doubt', () => {
  const cases: [ReturnType<typeof planBucket>, Right, string, Partial<Asker>, string | number][] = [
    [planBucket('./b', false), 'read', 'a', {}, 'anyone may read'],
    [planBucket('./b', false), 'write', 'a', {}, 403],
    [planBucket('./b', false), 'write', 'a', { isLocal: true }, 'a program of this machine'],
    [planBucket('./b', false), 'write', 'a', { isLocal: true, isCrossSite: true }, 403],
    [planBucket('./b', false), 'list', '', {}, 403],
    [planBucket({ root: './b', listing: true }, false), 'list', '', {}, 'anyone may read'],
    [planBucket('./b', true), 'write', 'a', {}, 'let in by "access"'],
    [planBucket('./b', true), 'write', 'a', { isCrossSite: true }, 403],
    [planBucket({ root: './b', keys }, true), 'write', 'p/a', {}, 401],
    [planBucket({ root: './b', keys }, false), 'write', 'p/a', { isLocal: true }, 401],
    [planBucket({ root: './b', keys }, false), 'write', 'p/a', { grant: key }, 'key k'],
    [planBucket({ root: './b', keys }, false), 'write', 'a', { grant: key }, 403],
    [planBucket({ root: './b', keys }, false), 'write', 'p/a', { grant: { ...key, isExact: true } }, 403],
    [planBucket({ root: './b', keys }, false), 'write', 'p/a', { grant: { ...key, mayWrite: false } }, 403],
    [planBucket({ root: './b', keys, read: 'keys' }, false), 'read', 'p/a', {}, 401],
    [
      planBucket({ root: './b', write: 'anyone' }, false),
      'write',
      'a',
      { isCrossSite: true },
      'anyone may write',
    ],
  ]
  for (const [plan, right, name, asker, wanted] of cases) {
    const verdict = admit(plan, right, name, { ...nobody, ...asker })
    assert.equal(isRefusal(verdict) ? verdict.status : verdict, wanted, `${plan.writers} ${right} ${name}`)
  }
})
