const CR = 13
const LF = 10

/**
 * Octets that have arrived on a connection and were not used yet.
 *
 * A chunk that finds nothing waiting is taken over as it is; only what is left over gets copied,
 * into a buffer that doubles, so that octets that arrive one by one cost no more than their sum.
 */
export class Input {
  octets: Buffer = NOTHING
  /** the first octet that was not used */
  start = 0
  end = 0
  /** octets before this one hold no empty line */
  #searched = 0
  /** `octets` is memory of our own, with room behind what is held */
  #isOwn = false

  get length(): number {
    return this.end - this.start
  }

  /** @param count octets of `chunk` that have arrived; the rest of its memory is left alone */
  append(chunk: Buffer, count: number = chunk.length): void {
    if (this.start === this.end) {
      this.octets = chunk
      this.start = 0
      this.end = count
      this.#searched = 0
      this.#isOwn = false
      return
    }
    if (!this.#isOwn || this.octets.length - this.end < count) this.#move(2 * (this.length + count))
    chunk.copy(this.octets, this.end, 0, count)
    this.end += count
  }

  /** Move what is held out of `memory`, which others will write to. */
  leave(memory: Buffer): void {
    if (this.octets === memory) this.#move(this.length)
  }

  /** Octets up to `start + count` are used. */
  use(count: number): void {
    this.start += count
    if (this.start < this.end) return
    this.octets = NOTHING
    this.start = 0
    this.end = 0
    this.#searched = 0
  }

  /** Take up to `limit` octets as a view, not a copy. */
  take(limit: number): Buffer {
    const count = Math.min(limit, this.end - this.start)
    const taken = this.octets.subarray(this.start, this.start + count)
    this.use(count)
    return taken
  }

  /**
   * Where the head (or the trailer section) that begins at `start` ends: after its first empty line.
   *
   * A lone LF ends a line here so that whoever sends one is told at once; the parser then refuses it.
   *
   * @returns offset into `octets`, or -1 when there is no empty line yet
   */
  findHeadEnd(): number {
    const { octets, start, end } = this
    // The end of a line and an empty one are LF LF or LF CR LF: of two neighbouring octets one is no larger than CR.
    for (let at = Math.max(start, this.#searched); at < end; at += 2) {
      if (octets[at]! > CR) continue
      const found = at > start ? this.#endOfEmptyLine(at - 1) : -1
      if (found >= 0) return found
      const next = this.#endOfEmptyLine(at)
      if (next >= 0) return next
    }
    // What follows a last LF, or LF CR, may be on its way.
    this.#searched = Math.max(start, this.#searched, end - 2)
    return -1
  }

  /** Offset after an empty line that follows the LF at `at`, or -1 when there is none. */
  #endOfEmptyLine(at: number): number {
    const { octets, end } = this
    if (octets[at] !== LF) return -1
    if (at + 1 < end && octets[at + 1] === LF) return at + 2
    return at + 2 < end && octets[at + 1] === CR && octets[at + 2] === LF ? at + 3 : -1
  }

  /** Move what is held into memory of our own, of so many octets; views that were taken earlier stay as they are. */
  #move(roomOctets: number): void {
    const held = this.end - this.start
    const roomier = Buffer.allocUnsafeSlow(Math.max(512, roomOctets))
    this.octets.copy(roomier, 0, this.start, this.end)
    this.#searched = Math.max(0, this.#searched - this.start)
    this.octets = roomier
    this.#isOwn = true
    this.start = 0
    this.end = held
  }
}

const NOTHING = Buffer.alloc(0)
