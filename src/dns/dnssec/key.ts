import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { TYPE } from '../wire/types.ts'

/** ECDSA with P-256 and SHA-256 (RFC 6605 §2), the one that everybody must be able to check (RFC 8624 §3.1). */
export const ALGORITHM = 13
/** SHA-256 (RFC 4509 §2.1). */
const DIGEST_TYPE = 2
/** Zone key and secure entry point: one key signs everything (RFC 4034 §2.1.1). */
const FLAGS = 257
const PROTOCOL = 3

/** A fresh key. */
export type GeneratedKey = {
  /** PKCS #8, DER in base64 */
  readonly privateKey: string
  /** x and y of the point, base64 of 64 octets (RFC 6605 §4) */
  readonly publicKey: string
}

/** Make a key for algorithm 13. */
export function generateKey(): GeneratedKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  const der = privateKey.export({ format: 'der', type: 'pkcs8' })
  return { privateKey: der.toString('base64'), publicKey: point.toString('base64') }
}

/** DNSKEY rdata (RFC 4034 §2.1) of a public key in base64. */
export function dnskeyRdata(publicKey: string): Buffer {
  return Buffer.concat([
    Buffer.from([FLAGS >> 8, FLAGS & 0xff, PROTOCOL, ALGORITHM]),
    Buffer.from(publicKey, 'base64'),
  ])
}

/** The sum that signatures and DS name a key by (RFC 4034 Appendix B); two keys may share one. */
export function keyTag(dnskey: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < dnskey.length; i++) sum += i % 2 === 0 ? dnskey[i]! << 8 : dnskey[i]!
  return (sum + (sum >>> 16)) & 0xffff
}

/**
 * DS of a key (RFC 4034 §5.1) in presentation form, with SHA-256: what a registrar wants.
 *
 * @param apex wire form, lower case
 */
export function dsData(apex: Uint8Array, publicKey: string): string {
  const dnskey = dnskeyRdata(publicKey)
  const digest = createHash('sha256').update(apex).update(dnskey).digest('hex')
  return `${keyTag(dnskey)} ${ALGORITHM} ${DIGEST_TYPE} ${digest}`
}

/** DNSKEY and CDNSKEY in presentation form (RFC 4034 §2.2). */
export function dnskeyData(publicKey: string): string {
  return `${FLAGS} ${PROTOCOL} ${ALGORITHM} ${publicKey}`
}

/** RFC 8078 §4: the parent shall remove the DS. */
export const DELETE_CDS = '0 0 0 00'
/** The same as CDNSKEY. */
export const DELETE_CDNSKEY = '0 3 0 AA=='

/** Types that every key signs: during a roll-over the parent knows only one of them (RFC 7344 §4.1). */
export const KEY_TYPES: ReadonlySet<number> = new Set([TYPE.DNSKEY, TYPE.CDS, TYPE.CDNSKEY])
