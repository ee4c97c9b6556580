import type { EndReason, Source } from '../exchange.ts'
import type { Fields } from '../wire/fields.ts'

/**
 * A body that is looked at before any of it goes on: as soon as its first octets are there, they say what becomes of the
 * whole.
 */
export class BegunSource implements Source {
  readonly #source: Source
  readonly #judge: (start: Uint8Array, whole: Source) => Source
  #parts: Uint8Array[] = []
  #octets = 0
  #whole: Source | undefined

  /** @param judge gets `START_OCTETS` octets, fewer when there are no more, and the body with them */
  constructor(source: Source, judge: (start: Uint8Array, whole: Source) => Source) {
    this.#source = source
    this.#judge = judge
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    while (this.#whole === undefined) {
      const part = this.#source.read(START_OCTETS - this.#octets)
      if (part instanceof Promise) {
        return part.then((arrived) => {
          this.#take(arrived)
          return this.read(limitOctets)
        })
      }
      this.#take(part)
    }
    return this.#whole.read(limitOctets)
  }

  cancel(reason: EndReason): void {
    ;(this.#whole ?? this.#source).cancel(reason)
  }

  aheadOctets(): number {
    return this.#octets + (this.#source.aheadOctets?.() ?? 0)
  }

  trailers(): Fields | undefined {
    return this.#source.trailers?.()
  }

  #take(part: Uint8Array | null): void {
    // Copied: the source may use its memory again.
    if (part !== null) this.#parts.push(Uint8Array.from(part))
    this.#octets += part?.length ?? 0
    if (part !== null && this.#octets < START_OCTETS) return
    let start: Uint8Array = Buffer.concat(this.#parts)
    this.#parts = []
    const source = this.#source
    this.#whole = this.#judge(start, {
      read: (limitOctets) => {
        if (start.length === 0) return part === null ? null : source.read(limitOctets)
        const given = start.subarray(0, limitOctets)
        start = start.subarray(given.length)
        this.#octets = start.length
        return given
      },
      cancel: (reason) => source.cancel(reason),
    })
  }
}

/** A film that is made to be played while it arrives says how long it lasts well before. */
const START_OCTETS = 16_384
