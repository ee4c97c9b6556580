import { refuse } from '#http/wire/refusal.ts'
import { type H2Error, isH2Error } from './error.ts'
import type { HpackDecoder } from './hpack-decoder.ts'
import { type RefusedHead, type RequestHead, type RequestRules, readRequest } from './request-fields.ts'

/** longer blocks are seldom the same twice */
const LIMIT_OCTETS = 256

/**
 * Reads the requests of one connection from their field blocks.
 *
 * Whoever asks the same again sends the same indexes: while the table stays as it is they are not read twice, and give
 * the same object.
 */
export class RequestReader {
  readonly #decoder: HpackDecoder
  readonly #last = Buffer.allocUnsafe(LIMIT_OCTETS)
  #lastOctets = 0
  #lastGeneration = 0
  #lastRules: RequestRules | undefined
  #lastHead: RequestHead | undefined

  constructor(decoder: HpackDecoder) {
    this.#decoder = decoder
  }

  /** As `readRequest` says; connection errors of the block besides (RFC 9113 §4.3), and 431 for one beyond the limit. */
  read(octets: Buffer, start: number, end: number, rules: RequestRules): RequestHead | RefusedHead | H2Error {
    if (this.#isLast(octets, start, end, rules)) return this.#lastHead!
    const { generation } = this.#decoder
    const list = this.#decoder.decode(octets, start, end, rules.limits)
    if (list === 'too large')
      return refuse(431, `the fields are larger than ${rules.limits.headerOctets} octets`)
    if (isH2Error(list)) return list
    const head = readRequest(list, rules)
    if (head.kind === 'request' && this.#decoder.generation === generation) {
      this.#keep(octets, start, end, rules, head)
    }
    return head
  }

  #isLast(octets: Buffer, start: number, end: number, rules: RequestRules): boolean {
    const count = this.#lastOctets
    if (
      count !== end - start ||
      this.#lastGeneration !== this.#decoder.generation ||
      this.#lastRules !== rules
    ) {
      return false
    }
    for (let i = 0; i < count; i++) {
      if (this.#last[i] !== octets[start + i]) return false
    }
    return this.#lastHead !== undefined
  }

  #keep(octets: Buffer, start: number, end: number, rules: RequestRules, head: RequestHead): void {
    if (end - start > LIMIT_OCTETS) return
    octets.copy(this.#last, 0, start, end)
    this.#lastOctets = end - start
    this.#lastGeneration = this.#decoder.generation
    this.#lastRules = rules
    this.#lastHead = head
  }
}
