/**
 * What the indexes of open films take in the memory of one worker, of all its routes together.
 *
 * @example memory.hold(film, octets, () => known.delete(path))
 */
export class FilmMemory {
  limitOctets: number
  readonly #held = new Map<object, { readonly octets: number; readonly forget: () => void }>()
  #octets = 0

  constructor(limitOctets: number) {
    this.limitOctets = limitOctets
  }

  get octets(): number {
    return this.#octets
  }

  /**
   * Count a film; those not used for longest make room for it. The one counted last always stays.
   *
   * @param forget called once, when this film makes room
   */
  hold(film: object, octets: number, forget: () => void): void {
    this.#held.set(film, { octets, forget })
    this.#octets += octets
    for (const [oldest, held] of this.#held) {
      if (this.#octets <= this.limitOctets || oldest === film) break
      this.release(oldest)
      held.forget()
    }
  }

  /** It was asked for: it is the last to go now. */
  use(film: object): void {
    const held = this.#held.get(film)
    if (held === undefined) return
    this.#held.delete(film)
    this.#held.set(film, held)
  }

  /** It is held no more. */
  release(film: object): void {
    this.#octets -= this.#held.get(film)?.octets ?? 0
    this.#held.delete(film)
  }
}
