/** What is scheduled: a stream, with its place in the queue it stands in. */
export type Scheduled<Stream> = {
  /** 0 (first) to 7 (RFC 9218 §4.1) */
  urgency: number
  /** shares its urgency's turn with others (RFC 9218 §4.2) */
  isIncremental: boolean
  isQueued: boolean
  after: Stream | undefined
}

/**
 * Which stream sends next (RFC 9218 §10): the most urgent first; among equals those that can be used in parts take
 * turns, and the others go one after the other in the order in which they were ready.
 *
 * Queues are lists through the streams themselves: a turn allocates nothing.
 */
export class Scheduler<Stream extends Scheduled<Stream>> {
  readonly #firsts: (Stream | undefined)[] = new Array(URGENCIES).fill(undefined)
  readonly #lasts: (Stream | undefined)[] = new Array(URGENCIES).fill(undefined)
  #count = 0

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Put a stream at the end of its queue, unless it stands in it. */
  add(stream: Stream): void {
    if (stream.isQueued) return
    const { urgency } = stream
    const last = this.#lasts[urgency]
    if (last === undefined) this.#firsts[urgency] = stream
    else last.after = stream
    this.#lasts[urgency] = stream
    stream.isQueued = true
    this.#count++
  }

  /** The stream whose turn it is; it leaves its queue. */
  take(): Stream | undefined {
    if (this.#count === 0) return undefined
    for (let urgency = 0; urgency < URGENCIES; urgency++) {
      const stream = this.#firsts[urgency]
      if (stream === undefined) continue
      this.#firsts[urgency] = stream.after
      if (stream.after === undefined) this.#lasts[urgency] = undefined
      stream.after = undefined
      stream.isQueued = false
      this.#count--
      return stream
    }
    return undefined
  }

  /** After its turn a stream has more to send. */
  putBack(stream: Stream): void {
    if (stream.isQueued) return
    const first = this.#firsts[stream.urgency]
    if (stream.isIncremental || first === undefined) {
      this.add(stream)
      return
    }
    stream.after = first
    this.#firsts[stream.urgency] = stream
    stream.isQueued = true
    this.#count++
  }

  /** Take a stream out of its queue, before its urgency changes or when it ends. */
  remove(stream: Stream): void {
    if (!stream.isQueued) return
    const { urgency } = stream
    let before: Stream | undefined
    for (let at = this.#firsts[urgency]; at !== stream && at !== undefined; at = at.after) before = at
    if (before === undefined) this.#firsts[urgency] = stream.after
    else before.after = stream.after
    if (this.#lasts[urgency] === stream) this.#lasts[urgency] = before
    stream.after = undefined
    stream.isQueued = false
    this.#count--
  }
}

const URGENCIES = 8
