import assert from 'node:assert/strict'
import test from 'node:test'
import type { AcmePlan } from '#acme/plan.ts'
import { type BroughtCertificate, planCertificates } from './plan.ts'

const from = { file: '', line: 0, column: 0 }
const limits = { lifetimeMs: 1, sessionTimeoutMs: 1, handshakeTimeoutMs: 1, contexts: 1 }
const own: AcmePlan = {
  authorities: [{ directory: 'https://ca.test/dir' }],
  challenges: ['dns-01', 'http-01'],
  keyType: 'ecdsa',
}
const world: AcmePlan = {
  ...own,
  authorities: [{ directory: 'https://acme-v02.api.letsencrypt.org/directory' }],
}
const noDns: AcmePlan = { ...own, challenges: ['http-01'] }
const none: AcmePlan = { ...own, authorities: [] }

/** Certificates of a file with the domain a.test, as `issuer: names`. */
const cases: [what: string, acme: AcmePlan, names: string[], certificates: string[]][] = [
  ['one order for domain and wildcard', own, ['a.test', 'www.a.test'], ['acme: a.test *.a.test']],
  ['the domain alone needs no wildcard', own, ['a.test'], ['acme: a.test']],
  ['all other names', own, ['*.a.test'], ['acme: a.test *.a.test']],
  ['deeper down a single name', own, ['a.test', 'x.y.a.test'], ['acme: a.test', 'acme: x.y.a.test']],
  [
    'and a wildcard where it saves certificates',
    own,
    ['b.a.test', 'x.y.a.test', 'z.y.a.test'],
    ['acme: a.test *.a.test', 'acme: *.y.a.test'],
  ],
  [
    'without DNS each name has its own, and a wildcard is local',
    noDns,
    ['a.test', 'www.a.test', '*.a.test'],
    ['acme: a.test', 'acme: www.a.test', 'local: *.a.test'],
  ],
  ['without authority all are local', none, ['a.test', 'www.a.test'], ['local: a.test', 'local: www.a.test']],
  [
    'names below .localhost are nobody else’s (RFC 6761 §6.3)',
    own,
    ['a.test', 'a.test.localhost'],
    ['acme: a.test', 'local: a.test.localhost'],
  ],
  [
    'special names go to no authority for the world (RFC 6761 §6.5, RFC 6762 §3, RFC 7686 §2, RFC 8375 §4)',
    world,
    ['a.test', 'b.local', 'c.onion', 'd.home.arpa', 'x.e.net'],
    ['acme: x.e.net', 'local: a.test', 'local: b.local', 'local: c.onion', 'local: d.home.arpa'],
  ],
]

for (const [what, acme, names, certificates] of cases) {
  test(`planCertificates(): ${what}`, () => {
    const wanted = names.map((name) => ({ name, from }))
    const plan = planCertificates({ wanted, acme, apexes: ['a.test'], limits })
    assert.deepEqual(
      plan.certificates.map(({ issuer, names: each }) => `${issuer}: ${each.join(' ')}`),
      certificates,
    )
  })
}

test('a certificate brought as files needs no other for the names that it covers (RFC 9525 §6.3)', () => {
  const brought = [
    { cert: 'a.pem', key: 'a.key', fingerprint: 'AB', keyType: 'ecdsa' as const, names: ['*.a.test'], from },
  ]
  const wanted = ['a.test', 'www.a.test', 'x.y.a.test'].map((name) => ({ name, from }))
  const { certificates } = planCertificates({ wanted, acme: none, apexes: ['a.test'], limits, brought })
  assert.deepEqual(
    certificates.map(({ issuer, names: each }) => `${issuer}: ${each.join(' ')}`),
    ['files: *.a.test', 'local: a.test', 'local: x.y.a.test'],
  )
})

test('with both kinds of keys certificates come in pairs, those of files by their names', () => {
  const pair = (key: string, keyType: 'ecdsa' | 'rsa', ...names: string[]): BroughtCertificate => {
    return { cert: `${key}.pem`, key, fingerprint: key, keyType, names, from }
  }
  const brought = [
    pair('r', 'rsa', 'b.test', 'a.test'),
    pair('e', 'ecdsa', 'a.test', 'b.test'),
    pair('o', 'rsa', 'c.test'),
  ]
  const wanted = [{ name: 'd.test', from }]
  const both: AcmePlan = { ...own, keyType: 'both' }
  const { certificates } = planCertificates({ wanted, acme: both, apexes: ['d.test'], limits, brought })
  assert.deepEqual(
    certificates.map(({ names, pair: isPair, files, filesBeside }) => {
      return [names.join(' '), isPair, files?.key, filesBeside?.key]
    }),
    [
      ['a.test b.test', true, 'e', 'r'],
      ['c.test', undefined, 'o', undefined],
      ['d.test', true, undefined, undefined],
    ],
  )
})

test('where a wildcard is refused each name has its own certificate; others may be ordered one by one', () => {
  const wanted = ['a.test', 'www.a.test', 'y.a.test', 'p.y.a.test', 'q.y.a.test', '*.b.test'].map((name) => {
    return { name, from }
  })
  const refusesWildcard = (parent: string): boolean => parent === 'a.test'
  const apexes = ['a.test', 'b.test']
  const { certificates } = planCertificates({ wanted, acme: own, apexes, limits, refusesWildcard })
  assert.deepEqual(
    certificates.map(({ names, single }) => [names.join(' '), single?.join(' ')]),
    [
      ['a.test', undefined],
      ['www.a.test', undefined],
      ['y.a.test', undefined],
      ['*.y.a.test', 'p.y.a.test q.y.a.test'],
      ['b.test *.b.test', undefined],
    ],
  )
})
