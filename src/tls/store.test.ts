import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after } from 'node:test'
import { silent } from '#core/log.ts'
import { openAuthority } from './authority.ts'
import type { Issuer } from './issuer.ts'
import type { CertificatePlan, TlsLimits } from './plan.ts'
import { type CertificateStore, createCertificateStore } from './store.ts'

const NOW = Date.UTC(2026, 0, 15, 12)
const DAY = 86_400_000
const limits: TlsLimits = {
  lifetimeMs: 6 * DAY,
  sessionTimeoutMs: DAY,
  handshakeTimeoutMs: 5000,
  contexts: 16,
}

const folder = await mkdtemp(join(tmpdir(), 'portico-store-'))
after(() => rm(folder, { recursive: true }))
const authority = await openAuthority({ folder, host: 'laptop', now: NOW, log: silent })
const plan = { certificates: [wanted('example.com'), wanted('*.example.com'), wanted('localhost')], limits }

test('a certificate is issued once and kept', () => {
  const { store, issued } = storeOf(authority)
  const first = store.contextFor('a.example.com').ready
  assert.ok(first !== null)
  assert.equal(store.contextFor('B.example.com').ready, first)
  assert.deepEqual(issued, ['certificate:*.example.com'])
})

test('a certificate is renewed after two thirds of its time, and when the clock was set back', () => {
  const clock = { now: NOW }
  const { store } = storeOf(authority, clock)
  const first = store.contextFor('localhost').ready
  clock.now = NOW + 4 * DAY - 1
  assert.equal(store.contextFor('localhost').ready, first)
  clock.now = NOW + 4 * DAY
  const second = store.contextFor('localhost').ready
  assert.equal(second?.issued.notAfter, NOW + 10 * DAY)
  clock.now = NOW
  assert.equal(store.contextFor('localhost').ready?.issued.notAfter, NOW + 6 * DAY)
})

test('a new plan keeps what it did not change, and nothing happens before it is committed', () => {
  const { store } = storeOf(authority)
  const kept = store.contextFor('localhost').ready
  const changed = store.contextFor('a.example.com').ready
  const certificates = [wanted('localhost'), { ...wanted('*.example.com'), key: 'changed' }]
  const commit = store.prepare({ certificates, limits })
  assert.equal(store.contextFor('example.com').reason, 'exact name')
  assert.equal(store.contextFor('a.example.com').ready, changed)
  commit()
  assert.equal(store.contextFor('example.com').reason, 'no certificate has this name')
  assert.equal(store.contextFor('localhost').ready, kept)
  assert.notEqual(store.contextFor('a.example.com').ready, changed)
})

test('refresh() gives the next handshake what the issuer has now, whatever roots its clients stand on', () => {
  const { store } = storeOf(authority)
  const clientRoots = new Map([['b.example.com', authority.root.pem]])
  store.prepare({ ...plan, clientRoots })()
  const [plain, asking] = [store.contextFor('a.example.com'), store.contextFor('b.example.com')]
  assert.ok(plain.ready !== null && asking.ready !== null)
  assert.deepEqual([plain.asksClient, asking.asksClient], [false, true])
  assert.notEqual(plain.ready.context, asking.ready.context)
  store.refresh('certificate:*.example.com')
  assert.notEqual(store.contextFor('a.example.com').ready, plain.ready)
  assert.notEqual(store.contextFor('b.example.com').ready, asking.ready)
  assert.equal(store.contextFor('example.com').reason, 'exact name')
})

test('the certificate unused for longest is dropped when there are too many', () => {
  const names = Array.from({ length: 20 }, (_, index) => `h${index}.test`)
  const { store, issued } = storeOf(authority)
  store.prepare({ certificates: names.map((name) => wanted(name)), limits })()
  for (const name of names.slice(0, 16)) store.contextFor(name)
  store.contextFor('h0.test')
  store.contextFor('h16.test')
  issued.length = 0
  store.contextFor('h0.test')
  store.contextFor('h1.test')
  assert.deepEqual(issued, ['certificate:h1.test'])
})

test('an issuer that has nothing yet, or fails, is a reason and no crash', () => {
  const said: string[] = []
  const log = (_: string, event: string) => void said.push(event)
  for (const issue of [() => null, () => raise('out of entropy')]) {
    const store = createCertificateStore({ plan, issuers: { local: { issue } }, now: () => NOW, log })
    assert.deepEqual(store.contextFor('localhost'), { ready: null, reason: 'not issued yet' })
  }
  assert.deepEqual(said, ['certificate not issued'])
})

test('the last certificate stays in use while its renewal fails', () => {
  const clock = { now: NOW }
  let isBroken = false
  const issuer: Issuer = { issue: (...words) => (isBroken ? null : authority.issue(...words)) }
  const { store } = storeOf(issuer, clock)
  const first = store.contextFor('localhost').ready
  isBroken = true
  clock.now = NOW + 5 * DAY
  assert.equal(store.contextFor('localhost').ready, first)
})

test('describe() says which certificate a name gets, from where, and why', () => {
  const { store } = storeOf(authority)
  assert.deepEqual(store.describe('a.example.com'), {
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
  assert.deepEqual(store.describe('other.test'), {
    reason: 'no certificate has this name',
    certificate: null,
  })
})

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

function wanted(name: string): CertificatePlan {
  const from = { file: 'portico.jsonc', line: 1, column: 1 }
  return { id: `certificate:${name}`, key: name, from, names: [name], issuer: 'local' }
}

function raise(message: string): never {
  throw new Error(message)
}
