import assert from 'node:assert/strict'
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import test from 'node:test'
import { encodeCertificate, encodeName, keyIdentifier, serverExtensions } from '#tls/wire/certificate.ts'
import { peer, run } from '../../../test/peers.ts'
import { encodeRequest, renewalIdentifier } from './request.ts'

const openssl = peer('openssl')
const keys = [
  ['P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
] as const

for (const [name, { privateKey }] of keys) {
  test(`openssl reads a request with a key of ${name} (RFC 2986 §4, RFC 5758 §3.2, RFC 4055 §5)`, {
    skip: openssl === undefined && 'needs openssl',
  }, async () => {
    const request = encodeRequest(['example.test', '*.example.test'], privateKey)
    const words = ['req', '-inform', 'DER', '-verify', '-noout', '-text']
    const { stdout, stderr, code } = await run(openssl!, words, { input: request })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /DNS:example\.test, DNS:\*\.example\.test/)
    assert.match(stderr, /verify OK/)
  })
}

test('renewalIdentifier() is key identifier and serial, its leading zero kept (RFC 9773 §4.1, RFC 5280 §4.1)', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const content = {
    serial: Buffer.from('87654321', 'hex'),
    issuer: encodeName('a', '1'),
    subject: encodeName('b', '1'),
    notBefore: 0,
    notAfter: 1e12,
    publicKey: spki,
  }
  const issue = (extensions: Buffer[]): X509Certificate =>
    new X509Certificate(
      encodeCertificate({ ...content, extensions }, (signed) => sign('sha256', signed, privateKey)),
    )
  const named = issue(serverExtensions(['a.test'], spki, spki))
  assert.equal(renewalIdentifier(named), `${keyIdentifier(spki).toString('base64url')}.AIdlQyE`)
  assert.equal(renewalIdentifier(issue([])), null)
})
