import { createPublicKey, type KeyObject, sign, type X509Certificate } from 'node:crypto'
import {
  bitString,
  elementAt,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  tagged,
  taggedPrimitive,
} from '#tls/wire/der.ts'

const SUBJECT_ALT_NAME = '2.5.29.17'
const AUTHORITY_KEY_IDENTIFIER = objectIdentifier('2.5.29.35')
// RFC 5758 §3.2: ECDSA without parameters. RFC 4055 §5: RSA with NULL.
const ECDSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'))
const RSA_WITH_SHA256 = sequence(objectIdentifier('1.2.840.113549.1.1.11'), Buffer.of(0x05, 0x00))

/**
 * Ask for a certificate (PKCS #10, RFC 2986 §4): the names stand in subjectAltName, the subject is empty.
 *
 * @param names A-labels; `*` may be the left-most label
 * @returns DER
 */
export function encodeRequest(names: readonly string[], key: KeyObject): Buffer {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const dnsNames = names.map((name) => taggedPrimitive(2, Buffer.from(name, 'latin1')))
  const extension = sequence(objectIdentifier(SUBJECT_ALT_NAME), octetString(sequence(...dnsNames)))
  const extensionRequest = sequence(objectIdentifier('1.2.840.113549.1.9.14'), set(sequence(extension)))
  const signed = sequence(integer(Buffer.of(0)), sequence(), publicKey, tagged(0, extensionRequest))
  const algorithm = key.asymmetricKeyType === 'rsa' ? RSA_WITH_SHA256 : ECDSA_WITH_SHA256
  return sequence(signed, algorithm, bitString(sign('sha256', signed, key)))
}

/**
 * Name a certificate for its authority: key identifier of the issuer, and serial number (RFC 9773 §4.1).
 *
 * @returns null when it does not name its issuer's key
 */
export function renewalIdentifier({ raw }: Pick<X509Certificate, 'raw'>): string | null {
  // tbsCertificate, in it version and serialNumber (RFC 5280 §4.1).
  const version = elementAt(raw, elementAt(raw, elementAt(raw, 0).start).start)
  const serial = elementAt(raw, version.end)
  const at = raw.indexOf(AUTHORITY_KEY_IDENTIFIER)
  if (at === -1) return null
  const inside = elementAt(raw, elementAt(raw, at + AUTHORITY_KEY_IDENTIFIER.length).start)
  const key = elementAt(raw, inside.start)
  const KEY_IDENTIFIER = 0x80
  if (key.tag !== KEY_IDENTIFIER) return null
  const text = ({ start, end }: { start: number; end: number }): string =>
    raw.subarray(start, end).toString('base64url')
  return `${text(key)}.${text(serial)}`
}
