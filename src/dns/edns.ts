import { COOKIE, type CookieState, judgeCookie, makeCookie } from './cookie.ts'
import type { Query } from './query.ts'
import { OPTION, RCODE } from './wire/types.ts'

/** What the OPT record of an answer may tell, by transport. */
export type EdnsPolicy = {
  /** what this server calls itself (RFC 5001) */
  readonly nsid?: Uint8Array
  /** keys of 16 octets that cookies are made with, the one in use first (RFC 9018 §5); none: no cookies */
  readonly cookieKeys: readonly Uint8Array[]
  /** how long a connection may say nothing; absent over UDP and HTTPS (RFC 7828 §3.3) */
  readonly idleMs?: number
  /** others see lengths only: answers get one of few (RFC 8467 §4.1) */
  readonly pads: boolean
}

/** Nothing is told. */
export const PLAIN_EDNS: EdnsPolicy = { cookieKeys: [], pads: false }

/** Octets before an option's data: code, length (RFC 6891 §6.1.2). */
const HEAD = 4
/** A name of the server is short, a subnet has 20 octets at most. */
const LIMIT_OCTETS = 512
const SCOPE = 3
/** RFC 7828 §3.3: the time counts in tenths of a second, in 16 bits. */
const TENTH_MS = 100
const TENTHS_LIMIT = 0xffff

/**
 * The options of one answer (RFC 6891 §6.1.2). One object serves all: `begin` before the sections are written, so
 * that their room is known; the scope of the subnet is told later.
 */
export class AnswerOptions {
  readonly octets: Uint8Array = new Uint8Array(LIMIT_OCTETS)
  length = 0
  #scopeAt = 0
  readonly #cookie = new Uint8Array(COOKIE)

  /**
   * Answer the options of a query.
   *
   * @param asking the address that asked, 4 or 16 octets, and when; the clock is read for cookies only
   * @returns what its cookie says; `null` without one
   */
  begin(
    message: Uint8Array,
    { fault, options }: Query,
    policy: EdnsPolicy,
    asking: { readonly client: Uint8Array; readonly nowMs: number },
  ): CookieState | null {
    const { nsidAt, cookieAt, cookieLength, subnetAt, subnetLength, keepaliveAt } = options
    let state: CookieState | null = null
    this.length = 0
    this.#scopeAt = 0
    // What has not the form of an option is not answered as one.
    if (fault === RCODE.FORMERR) return null
    if (nsidAt > 0 && policy.nsid !== undefined) this.#add(OPTION.NSID, policy.nsid)
    if (cookieAt > 0 && policy.cookieKeys.length > 0) {
      const { client, nowMs } = asking
      const source = { keys: policy.cookieKeys, client, nowSeconds: Math.floor(nowMs / 1000) }
      const theirs = message.subarray(cookieAt, cookieAt + cookieLength)
      state = judgeCookie(theirs, source)
      if (state !== 'fresh') makeCookie(theirs, this.#cookie, source)
      this.#add(OPTION.COOKIE, state === 'fresh' ? theirs : this.#cookie)
    }
    if (subnetAt > 0) {
      this.#scopeAt = this.length + HEAD + SCOPE
      this.#add(OPTION.SUBNET, message.subarray(subnetAt, subnetAt + subnetLength))
    }
    if (keepaliveAt > 0 && policy.idleMs !== undefined) {
      const tenths = Math.min(Math.floor(policy.idleMs / TENTH_MS), TENTHS_LIMIT)
      this.#add(OPTION.KEEPALIVE, [tenths >> 8, tenths & 0xff])
    }
    return state
  }

  /** For which part of the subnet the answer holds (RFC 7871 §7.2.1), in bits. */
  setScope(prefix: number): void {
    if (this.#scopeAt > 0) this.octets[this.#scopeAt] = prefix
  }

  #add(code: number, data: ArrayLike<number>): void {
    const at = this.length
    this.octets[at] = code >> 8
    this.octets[at + 1] = code & 0xff
    this.octets[at + 2] = data.length >> 8
    this.octets[at + 3] = data.length & 0xff
    for (let i = 0; i < data.length; i++) this.octets[at + HEAD + i] = data[i]!
    this.length += HEAD + data.length
  }
}
