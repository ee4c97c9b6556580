import { createHash } from 'node:crypto'
import {
  bitString,
  boolean,
  elementAt,
  integer,
  objectIdentifier,
  octetString,
  printableString,
  sequence,
  set,
  tagged,
  taggedPrimitive,
  time,
  utf8String,
} from './der.ts'

/** A certificate before it is signed (RFC 5280 §4.1.2). */
export type CertificateContent = {
  /** unsigned, at most 20 octets (RFC 5280 §4.1.2.2) */
  readonly serial: Uint8Array
  /** Name, encoded */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  /** milliseconds since 1970; seconds are kept */
  readonly notBefore: number
  readonly notAfter: number
  /** SubjectPublicKeyInfo, encoded */
  readonly publicKey: Uint8Array
  readonly extensions: readonly Uint8Array[]
}

const VERSION_3 = tagged(0, integer(Buffer.of(2)))
// RFC 5758 §3.2: without parameters.
const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
const COMMON_NAME = objectIdentifier('2.5.4.3')
const SERIAL_NUMBER = objectIdentifier('2.5.4.5')

/** A subject that says nothing: names stand in the subjectAltName (RFC 5280 §4.2.1.6). */
export const emptyName: Uint8Array = sequence()

/**
 * Encode and sign a certificate (RFC 5280 §4.1).
 *
 * @param sign ECDSA with P-256 and SHA-256 over what it is given, as a DER signature
 * @returns the certificate in DER
 */
export function encodeCertificate(
  content: CertificateContent,
  sign: (signed: Uint8Array) => Uint8Array,
): Buffer {
  const signed = sequence(
    VERSION_3,
    integer(content.serial),
    ECDSA_WITH_SHA256,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    content.publicKey,
    tagged(3, sequence(...content.extensions)),
  )
  return sequence(signed, ECDSA_WITH_SHA256, bitString(sign(signed)))
}

/** @param commonName shown to people; cut to 64 characters (RFC 5280 appendix A, ub-common-name) */
export function encodeName(commonName: string, serialNumber?: string): Buffer {
  const attribute = (type: Uint8Array, value: Uint8Array) => set(sequence(type, value))
  return sequence(
    ...(serialNumber === undefined ? [] : [attribute(SERIAL_NUMBER, printableString(serialNumber))]),
    attribute(COMMON_NAME, utf8String(commonName.slice(0, 64))),
  )
}

/**
 * The subject of a certificate as it stands, because the issuer of what it signs must be equal to the octet.
 *
 * @throws {RangeError} when the certificate is cut short
 */
export function subjectOf(certificate: Uint8Array): Uint8Array {
  let at = elementAt(certificate, elementAt(certificate, 0).start).start
  // version, serialNumber, signature, issuer and validity stand before it.
  for (let skipped = 0; skipped < 5; skipped++) at = elementAt(certificate, at).end
  return certificate.subarray(at, elementAt(certificate, at).end)
}

/**
 * Name a key: 160 bits of the SHA-256 of its bits (RFC 7093 §2).
 *
 * @param publicKey SubjectPublicKeyInfo of P-256, whose last 65 octets are the point
 */
export function keyIdentifier(publicKey: Uint8Array): Buffer {
  return createHash('sha256').update(publicKey.subarray(-65)).digest().subarray(0, 20)
}

/** Extensions of an authority that signs leaves and nothing else (RFC 5280 §4.2.1). */
export function authorityExtensions(publicKey: Uint8Array): Buffer[] {
  const basicConstraints = sequence(boolean(true), integer(Buffer.of(0)))
  return [
    extension('2.5.29.19', basicConstraints, 'critical'),
    // Bits 5 and 6: keyCertSign, cRLSign.
    extension('2.5.29.15', bitString(Buffer.of(0b0000_0110), 1), 'critical'),
    extension('2.5.29.14', octetString(keyIdentifier(publicKey))),
  ]
}

/**
 * Extensions of a server's certificate (RFC 5280 §4.2.1).
 *
 * @param names A-labels; `*` may be the left-most label
 * @param issuerKey SubjectPublicKeyInfo of the authority
 */
export function serverExtensions(
  names: readonly string[],
  publicKey: Uint8Array,
  issuerKey: Uint8Array,
): Buffer[] {
  const serverAuth = objectIdentifier('1.3.6.1.5.5.7.3.1')
  const dnsNames = names.map((name) => taggedPrimitive(2, Buffer.from(name, 'latin1')))
  return [
    extension('2.5.29.19', sequence(), 'critical'),
    // Bit 0: digitalSignature.
    extension('2.5.29.15', bitString(Buffer.of(0b1000_0000), 7), 'critical'),
    extension('2.5.29.37', sequence(serverAuth)),
    extension('2.5.29.17', sequence(...dnsNames)),
    extension('2.5.29.14', octetString(keyIdentifier(publicKey))),
    extension('2.5.29.35', sequence(taggedPrimitive(0, keyIdentifier(issuerKey)))),
  ]
}

/**
 * Extensions of a certificate that shows a digest to an authority and serves nobody else (RFC 8737 §3).
 *
 * @param digest SHA-256 of the key authorization
 */
export function challengeExtensions(name: string, digest: Uint8Array): Buffer[] {
  return [
    extension('2.5.29.17', sequence(taggedPrimitive(2, Buffer.from(name, 'latin1'))), 'critical'),
    extension('1.3.6.1.5.5.7.1.31', octetString(digest), 'critical'),
  ]
}

/** Text armour (RFC 7468 §2). */
export function toPem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function extension(identifier: string, value: Uint8Array, critical?: 'critical'): Buffer {
  const flag = critical === undefined ? [] : [boolean(true)]
  return sequence(objectIdentifier(identifier), ...flag, octetString(value))
}
