/**
 * How often a client may do what costs us more than it: so often at once, and as often again each second.
 *
 * Time is what the owner says has passed; nothing here reads a clock.
 */
export class Budget {
  #left: number
  #most: number

  /** @param perSecond what comes back each second; twice as much may be used at once */
  constructor(perSecond: number) {
    this.#most = 2 * perSecond
    this.#left = this.#most
  }

  /** Use one up. @returns whether there was one */
  use(): boolean {
    this.#left--
    return this.#left >= 0
  }

  /** What the client did was worth something: it may do `count` more. */
  earn(count: number): void {
    if (this.#left < this.#most) this.#left += count
  }

  /** @param perSecond as for the constructor; a reload may have changed it */
  refill(ms: number, perSecond: number): void {
    this.#most = 2 * perSecond
    this.#left = Math.min(this.#most, this.#left + (perSecond * ms) / 1000)
  }
}
