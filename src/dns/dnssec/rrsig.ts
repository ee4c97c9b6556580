import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { canonicalOrder } from '../wire/canonical.ts'
import { countLabels } from '../wire/name.ts'
import { ALGORITHM, KEY_TYPES } from './key.ts'
import type { SigningKey } from './plan.ts'

/** What is signed together (RFC 4034 §3.1.8.1). */
export type SignedSet = {
  /** wire form, lower case; as it stands in the answer, a wildcard's expanded */
  readonly owner: Uint8Array
  readonly type: number
  /** seconds */
  readonly ttl: number
  /** uncompressed */
  readonly rdata: readonly Uint8Array[]
}

/** Who signs; `apex` in wire form, lower case. */
export type SignatureKey = { readonly apex: Uint8Array; readonly tag: number; readonly key: KeyObject }

/** When a signature begins to hold, when it ends and when another shall take its place; seconds since 1970. */
export type Validity = {
  readonly inception: number
  readonly expiration: number
  readonly refreshAt: number
}

const CLASS_IN = 1
const DAY = 86_400
/** A clock may be wrong by so much. */
const SKEW_SECONDS = 3600
/** Half of the time that signatures hold is left when they are replaced: no TTL outlives them. */
const PERIOD_SECONDS = 7 * DAY
const VALID_SECONDS = 14 * DAY

/**
 * Rdata of RRSIG (RFC 4034 §3.1).
 *
 * All labels are counted, those in place of a wildcard too: the answer is then the same as for a name that exists, and
 * needs no proof that it does not (RFC 9824 §3.3).
 */
export function signSet(set: SignedSet, { apex, tag, key }: SignatureKey, validity: Validity): Buffer {
  const { owner, type, ttl, rdata } = set
  const head = Buffer.alloc(18)
  head.writeUInt16BE(type, 0)
  head[2] = ALGORITHM
  // RFC 4034 §3.1.3: the label "*" of a wildcard itself is not counted.
  const ASTERISK = 0x2a
  head[3] = countLabels(owner) - (owner[0] === 1 && owner[1] === ASTERISK ? 1 : 0)
  head.writeUInt32BE(ttl, 4)
  head.writeUInt32BE(validity.expiration % 2 ** 32, 8)
  head.writeUInt32BE(validity.inception % 2 ** 32, 12)
  head.writeUInt16BE(tag, 16)
  const fixed = Buffer.alloc(8)
  fixed.writeUInt16BE(type, 0)
  fixed.writeUInt16BE(CLASS_IN, 2)
  fixed.writeUInt32BE(ttl, 4)
  const records = canonicalOrder(type, rdata).flatMap((data) => [owner, fixed, length16(data), data])
  const octets = Buffer.concat([head, apex, ...records])
  const signature = sign('sha256', octets, { key, dsaEncoding: 'ieee-p1363' })
  return Buffer.concat([head, apex, signature])
}

/** Find the keys that sign RRsets of a type; `apex` in wire form, lower case. */
export function openKeys(
  apex: Uint8Array,
  keys: readonly SigningKey[],
): (type: number) => readonly SignatureKey[] {
  const all = keys.map(({ tag, privateKey, signsData }) => ({
    apex,
    tag,
    signsData,
    key: createPrivateKey({ key: Buffer.from(privateKey, 'base64'), format: 'der', type: 'pkcs8' }),
  }))
  const ofData = all.filter(({ signsData }) => signsData)
  return (type) => (KEY_TYPES.has(type) ? all : ofData)
}

/**
 * When the signature of an RRset holds. Time is cut into periods that begin at another moment for each RRset, so that
 * signatures never end all at once, and all threads find the same without talking.
 *
 * @param owner wire form, lower case
 */
export function validityOf(owner: Uint8Array, type: number, nowSeconds: number): Validity {
  const offset = hash(owner, type) % PERIOD_SECONDS
  const start = Math.floor((nowSeconds - offset) / PERIOD_SECONDS) * PERIOD_SECONDS + offset
  return {
    inception: start - SKEW_SECONDS,
    expiration: start + VALID_SECONDS,
    refreshAt: start + PERIOD_SECONDS,
  }
}

/** FNV-1a. */
function hash(owner: Uint8Array, type: number): number {
  let sum = 0x811c9dc5 ^ type
  for (const octet of owner) sum = Math.imul(sum ^ octet, 0x01000193)
  return sum >>> 0
}

function length16(data: Uint8Array): Buffer {
  const octets = Buffer.alloc(2)
  octets.writeUInt16BE(data.length)
  return octets
}
