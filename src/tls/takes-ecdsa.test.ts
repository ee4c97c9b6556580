import assert from 'node:assert/strict'
import test from 'node:test'
import { takesEcdsa } from './takes-ecdsa.ts'

const TLS13 = [0x0304, 0x0303]
const AES_GCM = 0x1301
const ECDHE_ECDSA = 0xc02b
const ECDHE_RSA = 0xc02f
const [ECDSA, RSA_PSS, RSA_PKCS1] = [0x0403, 0x0804, 0x0401]
const P256 = 23
const X25519 = 29

const cases: readonly [what: string, hello: readonly number[][], takes: boolean][] = [
  ['TLS 1.3 with both', [TLS13, [AES_GCM], [X25519], [RSA_PSS, ECDSA]], true],
  ['TLS 1.3 with RSA alone', [TLS13, [AES_GCM, ECDHE_ECDSA], [P256], [RSA_PSS]], false],
  ['TLS 1.2 with both', [[], [ECDHE_ECDSA, ECDHE_RSA], [P256], [RSA_PKCS1, ECDSA]], true],
  ['TLS 1.2 with ciphers of RSA alone', [[], [ECDHE_RSA], [P256], [RSA_PKCS1, ECDSA]], false],
  ['TLS 1.2 with signatures of RSA alone', [[], [ECDHE_ECDSA, ECDHE_RSA], [P256], [RSA_PKCS1]], false],
  ['TLS 1.2 without P-256', [[], [ECDHE_ECDSA, ECDHE_RSA], [X25519], [RSA_PKCS1, ECDSA]], false],
  ['TLS 1.2 that names no curves', [[], [ECDHE_ECDSA], [], [ECDSA]], true],
  ['TLS 1.2 that names no signatures: SHA-1', [[], [ECDHE_ECDSA, ECDHE_RSA], [P256], []], false],
]

for (const [what, [versions = [], ciphers = [], groups = [], signatures = []], takes] of cases) {
  test(`takesEcdsa(): ${what} ${takes ? 'does' : 'does not'} (RFC 8446 §4.2.3, RFC 8422 §5.1, RFC 5246 §7.4.1.4.1)`, () => {
    assert.equal(takesEcdsa({ serverName: '', protocols: [], versions, ciphers, groups, signatures }), takes)
  })
}
