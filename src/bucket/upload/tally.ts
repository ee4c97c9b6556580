import { createHash } from 'node:crypto'

/** As many of the first octets as the detection of a type wants to see. */
export const HEAD_OCTETS = 4100

/** What is known of octets that have arrived. */
export class Tally {
  octets = 0
  /** the first ones */
  head: Uint8Array = new Uint8Array(0)
  readonly #hash = createHash('sha256')

  add(octets: Uint8Array): void {
    const missingOctets = HEAD_OCTETS - this.head.length
    if (missingOctets > 0) this.head = Buffer.concat([this.head, octets.subarray(0, missingOctets)])
    this.octets += octets.length
    this.#hash.update(octets)
  }

  /** Their SHA-256, in hexadecimal digits; nothing can be added any more. */
  digest(): string {
    return this.#hash.digest('hex')
  }
}

/** Of uploads that may go on, those that did last on this thread: what is known of them need not be read again. */
export class Tallies {
  readonly #kept = new Map<string, Tally>()

  keep(id: string, tally: Tally): void {
    this.#kept.set(id, tally)
    const oldest = this.#kept.keys().next().value
    if (this.#kept.size > LIMIT_KEPT && oldest !== undefined) this.#kept.delete(oldest)
  }

  /** @returns null when it is not known of so many octets: others may have arrived on another thread */
  take(id: string, octets: number): Tally | null {
    if (octets === 0) return new Tally()
    const tally = this.#kept.get(id)
    this.#kept.delete(id)
    return tally?.octets === octets ? tally : null
  }
}

/** A mebibyte, with their first octets. */
const LIMIT_KEPT = 200
