import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import test from 'node:test'
import fc from 'fast-check'
import {
  authorityExtensions,
  encodeCertificate,
  encodeName,
  keyIdentifier,
  subjectOf,
  toPem,
} from './certificate.ts'

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' })
const subject = encodeName('Bücher authority', '0a1b')
const der = encodeCertificate(
  {
    serial: Buffer.of(0xff, 1),
    issuer: subject,
    subject,
    notBefore: Date.UTC(2026, 0, 1),
    notAfter: Date.UTC(2051, 0, 1),
    publicKey,
    extensions: authorityExtensions(publicKey),
  },
  (signed) => sign('sha256', signed, pair.privateKey),
)

test('encodeCertificate() writes what others read (RFC 5280 §4.1, RFC 5280 §4.1.2)', () => {
  const certificate = new X509Certificate(der)
  assert.equal(certificate.serialNumber, 'FF01')
  assert.equal(certificate.subject, 'serialNumber=0a1b\nCN=Bücher authority')
  assert.equal(certificate.issuer, certificate.subject)
  assert.equal(certificate.validFromDate.toISOString(), '2026-01-01T00:00:00.000Z')
  assert.equal(certificate.validToDate.toISOString(), '2051-01-01T00:00:00.000Z')
  assert.ok(certificate.verify(pair.publicKey))
})

test('the algorithm is named twice, without parameters (RFC 5758 §3.2)', () => {
  const algorithm = Buffer.from('300a06082a8648ce3d040302', 'hex')
  assert.equal(der.toString('latin1').split(algorithm.toString('latin1')).length, 3)
})

test('keyIdentifier() is 160 bits of the SHA-256 of the point (RFC 7093 §2)', () => {
  const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  assert.deepEqual(keyIdentifier(publicKey), createHash('sha256').update(point).digest().subarray(0, 20))
})

test('subjectOf() finds the name as it was written', () => {
  assert.deepEqual(Buffer.from(subjectOf(der)), subject)
})

test('subjectOf() of a certificate that is cut short throws a RangeError', () => {
  fc.assert(
    fc.property(fc.nat(der.length - 1), (length) => {
      assert.throws(() => subjectOf(der.subarray(0, length)), RangeError)
    }),
  )
})

test('toPem() breaks lines at 64 characters (RFC 7468 §2)', () => {
  const lines = toPem(der).split('\n')
  assert.equal(lines[0], '-----BEGIN CERTIFICATE-----')
  assert.ok(lines.slice(1, -3).every((line) => line.length === 64))
  assert.equal(toPem(der), new X509Certificate(der).toString())
})
