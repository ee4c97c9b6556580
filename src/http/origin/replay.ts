import type { Source } from '../exchange.ts'

/** What is kept of a request: most calls and forms are smaller. */
const LIMIT_KEPT_OCTETS = 16_384

/**
 * The content of a request, whose beginning can be read again while no origin has taken the request (RFC 9113 §8.7).
 *
 * One reader at a time: a new one takes the place of the one before.
 */
export class Replay {
  readonly #source: Source
  /** pieces from the first on while the whole is kept, else those that were not read */
  #kept: Uint8Array[] = []
  #keptOctets = 0
  #isWhole = true
  #hasEnded = false
  /** the next piece is on its way into `#kept` */
  #pending: Promise<void> | undefined
  /** how many of `#kept` the reader has had */
  #at = 0
  #reader: Source | undefined

  constructor(source: Source) {
    this.#source = source
  }

  /** It can be read from the first octet. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /** A reader from the first octet; only while `isWhole`. */
  reader(): Source {
    this.#at = 0
    const reader: Source = {
      read: (limitOctets) => this.#read(limitOctets, reader),
      cancel: (reason) => this.#source.cancel(reason),
      trailers: () => this.#source.trailers?.(),
    }
    this.#reader = reader
    return reader
  }

  /** An origin has taken the request: it will not be read again. */
  forget(): void {
    this.#isWhole = false
    this.#kept = this.#kept.slice(this.#at)
    this.#at = 0
  }

  #read(limitOctets: number, reader: Source): Uint8Array | null | Promise<Uint8Array | null> {
    // Who was given up gets nothing: it belongs to the next one.
    if (reader !== this.#reader) return null
    const piece = this.#kept[this.#at]
    if (piece !== undefined) {
      if (this.#isWhole) this.#at++
      else this.#kept.shift()
      return piece
    }
    if (this.#hasEnded) return null
    if (this.#pending === undefined) {
      const next = this.#source.read(limitOctets)
      if (!(next instanceof Promise)) {
        this.#keep(next)
        return this.#read(limitOctets, reader)
      }
      this.#pending = next.then((octets) => {
        this.#pending = undefined
        this.#keep(octets)
      })
    }
    return this.#pending.then(() => this.#read(limitOctets, reader))
  }

  /** What was read may lie in memory that is used again with the next read. */
  #keep(octets: Uint8Array | null): void {
    if (octets === null) {
      this.#hasEnded = true
      return
    }
    this.#keptOctets += octets.length
    if (this.#isWhole && this.#keptOctets > LIMIT_KEPT_OCTETS) this.forget()
    this.#kept.push(this.#isWhole ? Buffer.from(octets) : octets)
  }
}
