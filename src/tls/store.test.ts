import assert from 'node:assert/strict'
import test from 'node:test'
import { silent } from '#core/log.ts'
import { wanted } from '../../test/certificate-plan.ts'
import { authority, DAY, limits, NOW, plan } from '../../test/local-certificates.ts'
import type { Issuer } from './issuer.ts'
import { type CertificateStore, createCertificateStore } from './store.ts'

test('a certificate is issued once and kept', () => {
  const { store, issued } = storeOf(authority)
  const first = store.contextNow('a.example.com').ready
  assert.ok(first !== null)
  assert.equal(store.contextNow('B.example.com').ready, first)
  assert.deepEqual(issued, ['certificate:*.example.com'])
})

test('a certificate is renewed after two thirds of its time, and when the clock was set back', () => {
  const clock = { now: NOW }
  const { store } = storeOf(authority, clock)
  const first = store.contextNow('localhost').ready
  clock.now = NOW + 4 * DAY - 1
  assert.equal(store.contextNow('localhost').ready, first)
  clock.now = NOW + 4 * DAY
  const second = store.contextNow('localhost').ready
  assert.equal(second?.issued.notAfter, NOW + 10 * DAY)
  clock.now = NOW
  assert.equal(store.contextNow('localhost').ready?.issued.notAfter, NOW + 6 * DAY)
})

test('a new plan keeps what it did not change, and nothing happens before it is committed', () => {
  const { store } = storeOf(authority)
  const kept = store.contextNow('localhost').ready
  const changed = store.contextNow('a.example.com').ready
  const certificates = [wanted('localhost'), { ...wanted('*.example.com'), key: 'changed' }]
  const commit = store.prepare({ certificates, limits })
  assert.equal(store.contextNow('example.com').reason, 'exact name')
  assert.equal(store.contextNow('a.example.com').ready, changed)
  commit()
  assert.equal(store.contextNow('example.com').reason, 'no certificate has this name')
  assert.equal(store.contextNow('localhost').ready, kept)
  assert.notEqual(store.contextNow('a.example.com').ready, changed)
})

test('a host that asks clients for certificates has a context of its own, also after a renewal', () => {
  const { store } = storeOf(authority)
  store.prepare(plan, new Map([['b.example.com', authority.root.pem]]))()
  const choose = (name: string) => store.contextNow(name)
  const [plain, asking] = [choose('a.example.com'), choose('b.example.com')]
  assert.ok(plain.ready !== null && asking.ready !== null)
  assert.deepEqual([plain.asksClient, asking.asksClient, store.asksClients()], [false, true, true])
  assert.notEqual(plain.ready.context, asking.ready.context)
  store.renew(
    'certificate:*.example.com',
    authority.issue(wanted('*.example.com'), Date.now(), limits.lifetimeMs)!,
  )
  assert.notEqual(choose('a.example.com').ready, plain.ready)
  assert.notEqual(choose('b.example.com').ready, asking.ready)
  store.prepare(plan)()
  assert.deepEqual(
    [store.asksClients(), choose('b.example.com').ready],
    [false, choose('a.example.com').ready],
  )
})

test('the certificate unused for longest is dropped when there are too many', () => {
  const names = Array.from({ length: 20 }, (_, index) => `h${index}.test`)
  const { store, issued } = storeOf(authority)
  store.prepare({ certificates: names.map((name) => wanted(name)), limits })()
  for (const name of names.slice(0, 16)) store.contextNow(name)
  store.contextNow('h0.test')
  store.contextNow('h16.test')
  issued.length = 0
  store.contextNow('h0.test')
  store.contextNow('h1.test')
  assert.deepEqual(issued, ['certificate:h1.test'])
})

test('an issuer that has nothing yet, or fails, is a reason and no crash', () => {
  const said: string[] = []
  const log = (_: string, event: string) => void said.push(event)
  for (const issue of [() => null, () => raise('out of entropy')]) {
    const store = createCertificateStore({ plan, issuers: { local: { issue } }, now: () => NOW, log })
    assert.deepEqual(store.contextNow('localhost'), { ready: null, reason: 'not issued yet' })
  }
  assert.deepEqual(said, ['certificate not issued'])
})

test('the last certificate stays in use while its renewal fails', () => {
  const clock = { now: NOW }
  let isBroken = false
  const issuer: Issuer = { issue: (...words) => (isBroken ? null : authority.issue(...words)) }
  const { store } = storeOf(issuer, clock)
  const first = store.contextNow('localhost').ready
  isBroken = true
  clock.now = NOW + 5 * DAY
  assert.equal(store.contextNow('localhost').ready, first)
})

test('a handshake waits for an issuer that answers later, and one question serves all that wait', async () => {
  const { store, issued } = storeOf(later)
  const choices = [store.contextFor('localhost'), store.contextFor('localhost')]
  assert.ok(choices.every((choice) => choice instanceof Promise))
  const [a, b] = await Promise.all(choices)
  assert.ok(a?.ready !== null && a?.ready === b?.ready)
  assert.ok(!(store.contextFor('localhost') instanceof Promise))
  assert.deepEqual(issued, ['certificate:localhost'])
})

test('while a renewal is under way the certificate of before is served, until it ends', async () => {
  const clock = { now: NOW }
  const { store } = storeOf(later, clock)
  const first = (await store.contextFor('localhost')).ready
  clock.now = NOW + 4 * DAY
  assert.equal(store.contextNow('localhost').ready, first)
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  const second = store.contextNow('localhost').ready
  assert.equal(second?.issued.notAfter, NOW + 10 * DAY)
  clock.now = NOW + 20 * DAY
  assert.ok(store.contextFor('localhost') instanceof Promise)
})

test('certificates that are known need not be asked for, and those renewed elsewhere are taken over', () => {
  const { store, issued } = storeOf(authority)
  const [before, after] = [0, 1].map(() => authority.issue(wanted('localhost'), NOW, DAY))
  store.renew('certificate:localhost', before!)
  store.prepare(plan, new Map(), new Map([['certificate:localhost', before!]]))()
  assert.equal(store.contextNow('localhost').ready?.issued, before)
  store.renew('certificate:localhost', after!)
  assert.equal(store.contextNow('localhost').ready?.issued, after)
  assert.deepEqual(issued, [])
})

/** An issuer that answers in the next turn. */
const later: Issuer = {
  async issue(...words) {
    await new Promise(setImmediate)
    return authority.issue(...words)
  },
}

function storeOf(issuer: Issuer, clock = { now: NOW }): { store: CertificateStore; issued: string[] } {
  const issued: string[] = []
  const issue: Issuer['issue'] = (certificate, ...rest) => {
    issued.push(certificate.id)
    return issuer.issue(certificate, ...rest)
  }
  const store = createCertificateStore({
    plan,
    issuers: { local: { issue } },
    now: () => clock.now,
    log: silent,
  })
  return { store, issued }
}

function raise(message: string): never {
  throw new Error(message)
}
