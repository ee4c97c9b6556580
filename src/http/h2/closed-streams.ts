/**
 * How the streams that closed last came to their end: what arrives late for one that we reset is passed over, for
 * others it is an error (RFC 9113 §5.1).
 */
export class ClosedStreams {
  /** by the low bits of half the id: the id, shifted, and whether it was reset */
  readonly #recent = new Uint32Array(RECENT)

  /** @param isReset we sent RST_STREAM while the client could still be sending */
  note(id: number, isReset: boolean): void {
    this.#recent[(id >>> 1) % RECENT] = ((id << 1) | (isReset ? 1 : 0)) >>> 0
  }

  /** @returns undefined when the stream closed long ago, or was skipped (RFC 9113 §5.1.1) */
  find(id: number): 'reset' | 'ended' | undefined {
    const noted = this.#recent[(id >>> 1) % RECENT]!
    if (noted >>> 1 !== id) return undefined
    return (noted & 1) === 1 ? 'reset' : 'ended'
  }
}

/** twice the streams that are open at once by default */
const RECENT = 256
