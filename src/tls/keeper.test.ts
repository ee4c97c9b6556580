import assert from 'node:assert/strict'
import test from 'node:test'
import { silent } from '#core/log.ts'
import { wanted } from '../../test/certificate-plan.ts'
import { authority, DAY, limits, NOW, plan } from '../../test/local-certificates.ts'
import type { Issuer } from './issuer.ts'
import { type CertificateKeeper, createCertificateKeeper } from './keeper.ts'

test('a certificate is issued once, however many ask for it at a time, and renewed when it is due', async () => {
  const clock = { now: NOW }
  const { keeper, issued, published } = keeperOf(slow(authority), clock)
  const [a, b] = await Promise.all([
    keeper.obtain('certificate:localhost'),
    keeper.obtain('certificate:localhost'),
  ])
  assert.ok(a !== null && a === b)
  assert.equal(await keeper.obtain('certificate:localhost'), a)
  assert.deepEqual([issued, published], [['certificate:localhost'], []])
  clock.now = NOW + 4 * DAY
  const renewed = await keeper.obtain('certificate:localhost')
  assert.equal(renewed?.notAfter, NOW + 10 * DAY)
  assert.deepEqual(published, [['certificate:localhost', renewed]])
})

test('the last certificate stays while its renewal fails, and one that never came is none', async () => {
  const clock = { now: NOW }
  let isBroken = false
  const issue: Issuer['issue'] = (...words) => {
    if (isBroken) throw new Error('no answer')
    return authority.issue(...words)
  }
  const { keeper } = keeperOf({ issue }, clock)
  const first = await keeper.obtain('certificate:localhost')
  isBroken = true
  clock.now = NOW + 5 * DAY
  assert.equal(await keeper.obtain('certificate:localhost'), first)
  assert.equal(await keeper.obtain('certificate:example.com'), null)
  assert.equal(await keeper.obtain('certificate:not.in.the.plan'), null)
})

test('the first certificate of a plan is there before the plan is used; what the plan changed is issued anew', async () => {
  const { keeper, issued } = keeperOf(authority)
  const kept = await keeper.obtain('certificate:localhost')
  const changed = await keeper.obtain('certificate:example.com')
  const certificates = [{ ...wanted('example.com'), key: 'changed' }, wanted('localhost')]
  const prepared = await keeper.prepare({ certificates, limits })
  assert.deepEqual(issued, ['certificate:localhost', 'certificate:example.com', 'certificate:example.com'])
  prepared.commit()
  const [[id, first] = []] = [...prepared.first()]
  assert.equal(id, 'certificate:example.com')
  assert.notEqual(first, changed)
  assert.equal(await keeper.obtain('certificate:example.com'), first)
  assert.equal(await keeper.obtain('certificate:localhost'), kept)
  const none = await keeper.prepare({ certificates: [], limits })
  assert.equal(none.first().size, 0)
})

test('describe() says which certificate a name gets, from where, and why', async () => {
  const { keeper } = keeperOf(authority)
  assert.deepEqual(await keeper.describe('a.example.com'), {
    reason: 'wildcard, one label deep',
    certificate: {
      id: 'certificate:*.example.com',
      names: ['*.example.com'],
      from: { file: 'portico.jsonc', line: 1, column: 1 },
      issuer: authority.root.name,
      notBefore: NOW - 3_600_000,
      notAfter: NOW + 6 * DAY,
    },
  })
  assert.deepEqual(await keeper.describe('other.test'), {
    reason: 'no certificate has this name',
    certificate: null,
  })
  const { keeper: empty } = keeperOf({ issue: () => null })
  assert.deepEqual(await empty.describe('localhost'), { reason: 'not issued yet', certificate: null })
})

function keeperOf(
  issuer: Issuer,
  clock = { now: NOW },
): { keeper: CertificateKeeper; issued: string[]; published: unknown[] } {
  const issued: string[] = []
  const published: unknown[] = []
  const issue: Issuer['issue'] = (certificate, ...rest) => {
    issued.push(certificate.id)
    return issuer.issue(certificate, ...rest)
  }
  const keeper = createCertificateKeeper({
    plan,
    issuers: { local: { issue } },
    now: () => clock.now,
    log: silent,
    publish: (...renewed) => published.push(renewed),
  })
  return { keeper, issued, published }
}

/** An issuer that answers later. */
function slow({ issue }: Issuer): Issuer {
  return {
    async issue(...words) {
      await new Promise(setImmediate)
      return issue(...words)
    },
  }
}
