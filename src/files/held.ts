import type { Source } from '#http/exchange.ts'
import type { OctetRange } from '#http/wire/range.ts'

/** Memory for contents of files that are asked for again and again, of all folders together. */
export class Memory {
  readonly #limitOctets: number
  #usedOctets = 0

  constructor(limitOctets: number) {
    this.#limitOctets = limitOctets
  }

  /** @returns null when there is no room */
  hold(octets: Uint8Array): Held | null {
    if (this.#usedOctets + octets.length > this.#limitOctets) return null
    this.#usedOctets += octets.length
    return new Held(octets, () => {
      this.#usedOctets -= octets.length
    })
  }
}

/** Content in memory: it counts until the last of its users has closed it, also while a slow client takes it. */
export class Held {
  readonly octets: Uint8Array
  readonly #onClose: () => void
  #users = 1

  constructor(octets: Uint8Array, onClose: () => void) {
    this.octets = octets
    this.#onClose = onClose
  }

  /** A part of it as a body, which is one user more. */
  read({ first, last }: OctetRange): Source {
    this.#users++
    let at = first
    return {
      read: (limitOctets) => {
        const end = Math.min(at + limitOctets, last + 1)
        if (at < end) {
          const octets = this.octets.subarray(at, end)
          at = end
          return octets
        }
        if (at <= last + 1) this.close()
        at = last + 2
        return null
      },
      cancel: () => {
        if (at <= last + 1) this.close()
        at = last + 2
      },
    }
  }

  close(): void {
    this.#users--
    if (this.#users === 0) this.#onClose()
  }
}
