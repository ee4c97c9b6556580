import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { CertificatePlan } from './plan.ts'
import { compileCertificates, select, selectRoots } from './select.ts'

const table = compileCertificates([
  wanted('example.com', 'www.example.com'),
  wanted('*.example.com'),
  wanted('*.deep.example.com', 'xn--bcher-kva.example'),
  wanted('localhost'),
  wanted('www.example.com', 'late.example.com'),
])

const cases: readonly [sent: string | undefined, certificate: string | null, reason: string][] = [
  ['example.com', 'example.com', 'exact name'],
  ['EXAMPLE.com', 'example.com', 'exact name'],
  ['example.com.', 'example.com', 'exact name'],
  ['localhost', 'localhost', 'exact name'],
  ['xn--bcher-kva.example', '*.deep.example.com', 'exact name'],
  // An exact name goes before the wildcard that covers it, and the first certificate before the second.
  ['www.example.com', 'example.com', 'exact name'],
  ['late.example.com', 'www.example.com', 'exact name'],
  ['api.example.com', '*.example.com', 'wildcard, one label deep'],
  ['API.Example.COM.', '*.example.com', 'wildcard, one label deep'],
  ['xn--bcher-kva.example.com', '*.example.com', 'wildcard, one label deep'],
  ['my_service.example.com', '*.example.com', 'wildcard, one label deep'],
  ['deep.example.com', '*.example.com', 'wildcard, one label deep'],
  ['a.deep.example.com', '*.deep.example.com', 'wildcard, one label deep'],
  // One label, not two, and not none.
  ['a.b.example.com', null, 'no certificate has this name'],
  ['a.b.deep.example.com', null, 'no certificate has this name'],
  ['example', null, 'no certificate has this name'],
  ['com', null, 'no certificate has this name'],
  ['notexample.com', null, 'no certificate has this name'],
  ['example.com.evil.test', null, 'no certificate has this name'],
  // A wildcard is no name that can be asked for, and an empty label is none that it stands for.
  ['*.example.com', null, 'not a host name'],
  ['w*.example.com', null, 'not a host name'],
  ['.example.com', null, 'not a host name'],
  ['www..example.com', null, 'not a host name'],
  ['example.com..', null, 'not a host name'],
  ['', null, 'not a host name'],
  ['.', null, 'not a host name'],
  // Addresses (RFC 6066 §3), also as other programs write them.
  ['127.0.0.1', null, 'not a host name'],
  ['127.1.', null, 'not a host name'],
  ['0x7f.1', null, 'not a host name'],
  ['a.0x7f', null, 'not a host name'],
  ['2130706433', null, 'not a host name'],
  ['::1', null, 'not a host name'],
  ['[::1]', null, 'not a host name'],
  // Bytes that are no host name; the Kelvin sign is k in lower case.
  ['bücher.example', null, 'not a host name'],
  ['loca\u212ahost', null, 'not a host name'],
  ['www.example.com\0.evil.test', null, 'not a host name'],
  ['www.example.com/', null, 'not a host name'],
  ['www.example.com:443', null, 'not a host name'],
  [`${'a'.repeat(64)}.example.com`, null, 'not a host name'],
  [`${'a'.repeat(63)}.example.com`, '*.example.com', 'wildcard, one label deep'],
  [undefined, 'example.com', 'no name sent: the first certificate'],
]

for (const [sent, certificate, reason] of cases) {
  const shown = JSON.stringify(sent?.slice(0, 40))
  test(`select() of ${shown} is ${certificate}: ${reason} (RFC 9525 §6.3, RFC 6066 §3)`, () => {
    const selection = select(table, sent)
    assert.equal(selection.certificate?.names[0] ?? null, certificate)
    assert.equal(selection.reason, reason)
  })
}

test('select() refuses a name that is longer than 253 octets (RFC 1035 §2.3.4)', () => {
  const longest = `${'a.'.repeat(121)}example.com`
  assert.equal(longest.length, 253)
  assert.equal(select(table, longest).reason, 'no certificate has this name')
  assert.equal(select(table, `${longest}.`).reason, 'no certificate has this name')
  assert.equal(select(table, `a${longest}`).reason, 'not a host name')
})

test('select() without certificates says so', () => {
  assert.deepEqual(select(compileCertificates([]), 'example.com'), {
    certificate: null,
    reason: 'no certificates',
  })
})

test('select() gives a certificate only to names that RFC 9525 §6.3 lets it stand for', () => {
  const label = fc.constantFrom('a', 'B', '*', '', 'www', 'example', 'com', 'deep')
  const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'))
  fc.assert(
    fc.property(name, (sent) => {
      const { certificate } = select(table, sent)
      const isCovered = certificate?.names.some((covered) => {
        const [first = '', ...rest] = sent.toLowerCase().replace(/\.$/, '').split('.')
        const isExact = covered === [first, ...rest].join('.')
        return isExact || (first !== '' && covered === ['*', ...rest].join('.'))
      })
      assert.ok(isCovered ?? true)
    }),
  )
})

function wanted(...names: string[]): CertificatePlan {
  const from = { file: 'portico.jsonc', line: 1, column: 1 }
  return { id: `certificate:${names[0]}`, key: names.join(), from, names, issuer: 'local' }
}

test('selectRoots() takes those of the name, else of the nearest wildcard above it at any depth', () => {
  const clients = new Map([
    ['a.test', 'own'],
    ['*.a.test', 'wide'],
    ['*.b.a.test', 'near'],
  ])
  const cases: [name: string, roots: string | null][] = [
    ['A.test', 'own'],
    ['x.a.test', 'wide'],
    ['x.y.a.test.', 'wide'],
    ['x.b.a.test', 'near'],
    ['b.test', null],
    ['10.0.0.1', null],
  ]
  for (const [name, roots] of cases) assert.equal(selectRoots(clients, name), roots, name)
})
