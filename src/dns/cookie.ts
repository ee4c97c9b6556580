import { sipHash } from './siphash.ts'

/** Octets of a cookie as the client made it (RFC 9018 §4). */
const CLIENT_COOKIE = 8
/** Octets of a cookie as a server adds to it (RFC 9018 §4). */
export const COOKIE = 24

/** RFC 9018 §4.3: an older cookie is not believed, nor one of a clock that is far ahead. */
const LIFETIME_SECONDS = 3600
const AHEAD_SECONDS = 300
/** RFC 9018 §4.3: after half of its life a client gets a new one. */
const FRESH_SECONDS = 1800

const VERSION = 1
/** Where in the cookie the time stands, and the hash. */
const TIME = 12
const HASH = 16

const hashed = new Uint8Array(HASH + 16)

/** What a cookie says of whoever sent it. */
export type CookieState = 'fresh' | 'believed' | 'not ours'

/** Which address sent what, and when; the first key makes cookies, the others made some that are still believed. */
export type CookieSource = {
  readonly keys: readonly Uint8Array[]
  /** 4 or 16 octets */
  readonly client: Uint8Array
  /** since 1970 */
  readonly nowSeconds: number
}

/**
 * Whether a cookie is one that we gave to this address (RFC 9018 §4.3).
 *
 * @param cookie the data of the option: 8 octets, or 16 to 40 (RFC 7873 §5.2.2)
 */
export function judgeCookie(cookie: Uint8Array, { keys, client, nowSeconds }: CookieSource): CookieState {
  if (cookie.length !== COOKIE || cookie[CLIENT_COOKIE] !== VERSION) return 'not ours'
  const time = read32(cookie, TIME)
  // RFC 9018 §4.3: serial number arithmetic, as the clock has 32 bits.
  const ageSeconds = (nowSeconds - time) | 0
  if (ageSeconds > LIFETIME_SECONDS || ageSeconds < -AHEAD_SECONDS) return 'not ours'
  const used = keys.findIndex((key) => isHash(hashOf(cookie, client, key), cookie))
  if (used < 0) return 'not ours'
  return used === 0 && ageSeconds < FRESH_SECONDS ? 'fresh' : 'believed'
}

/**
 * Write a whole cookie for a client (RFC 9018 §4).
 *
 * @param clientCookie its first 8 octets count
 * @param into 24 octets
 */
export function makeCookie(clientCookie: Uint8Array, into: Uint8Array, source: CookieSource): void {
  for (let i = 0; i < CLIENT_COOKIE; i++) into[i] = clientCookie[i]!
  into.fill(0, CLIENT_COOKIE, TIME)
  into[CLIENT_COOKIE] = VERSION
  for (let i = 0; i < 4; i++) into[TIME + i] = source.nowSeconds >>> (24 - 8 * i)
  into.set(hashOf(into, source.client, source.keys[0]!), HASH)
}

function hashOf(cookie: Uint8Array, client: Uint8Array, key: Uint8Array): Uint8Array {
  for (let i = 0; i < HASH; i++) hashed[i] = cookie[i]!
  for (let i = 0; i < client.length; i++) hashed[HASH + i] = client[i]!
  return sipHash(key, hashed, HASH + client.length)
}

/** In constant time: who forges cookies shall not learn how far a guess was right. */
function isHash(hash: Uint8Array, cookie: Uint8Array): boolean {
  let difference = 0
  for (let i = 0; i < hash.length; i++) difference |= hash[i]! ^ cookie[HASH + i]!
  return difference === 0
}

function read32(octets: Uint8Array, at: number): number {
  return ((octets[at]! << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!) >>> 0
}
