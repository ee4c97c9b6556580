import type { EndReason, Source } from '../exchange.ts'
import type { Fields } from '../wire/fields.ts'
import { Input } from '../wire/input.ts'

/** What a body asks of the connection that its frames arrive on. */
export type BodyFlow = {
  /** Octets were read, or thrown away: the client may send as many more on the connection (RFC 9113 §6.9.1). */
  giveConnectionWindow(octets: number): void
  /** The client may send more on the stream. */
  giveStreamWindow(streamId: number, octets: number): void
  /** Ask for octets beyond the initial window of a stream, to be given back with a negative number. */
  borrowWindow(octets: number): boolean
  /** The handler waits for content. */
  bodyWanted(streamId: number): void
}

/**
 * The content of a request. What has arrived and was not read is never more than the window of its stream, which is
 * given anew only as the handler reads.
 */
export class StreamBody implements Source {
  receivedOctets = 0
  /** the last octet has arrived */
  isComplete = false
  /** its octets are followed, not stored: any number may come */
  isUnlimited = false
  /** what the client may still send (RFC 9113 §6.9.1) */
  windowOctets: number = INITIAL_WINDOW_OCTETS
  /** when the handler waits for octets: until when, in milliseconds of the clock */
  deadlineMs: number = Infinity
  readonly #streamId: number
  readonly #flow: BodyFlow
  readonly #input = new Input()
  #target = INITIAL_WINDOW_OCTETS
  /** read, and not yet given back to the client's window */
  #readOctets = 0
  #sinceGrowth = 0
  #trailers: Fields | undefined
  #failure: Error | undefined
  #waiting: Waiting | undefined

  constructor(streamId: number, flow: BodyFlow) {
    this.#streamId = streamId
    this.#flow = flow
  }

  /** The handler waits for octets that have not arrived. */
  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const octets = this.#take(limitOctets)
    if (octets !== undefined) return octets
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, limitOctets }
      this.#flow.bodyWanted(this.#streamId)
    })
  }

  unlimit(): void {
    this.isUnlimited = true
  }

  /** What arrives from now on is thrown away; its stream's window is not given anew. */
  cancel(reason: EndReason): void {
    this.fail(reason)
  }

  trailers(): Fields | undefined {
    return this.#trailers
  }

  /**
   * DATA has arrived.
   *
   * @param octets a view: what is kept for long is copied when it is small, so that it holds on to no large memory
   * @param isWanted else it only counts
   */
  arrived(octets: Buffer, isWanted: boolean): void {
    this.receivedOctets += octets.length
    if (this.#failure !== undefined || !isWanted) {
      this.#flow.giveConnectionWindow(octets.length)
      return
    }
    this.#input.append(octets.length < LIMIT_COPY_OCTETS && !this.isWaiting ? Buffer.from(octets) : octets)
    this.#feed()
  }

  /** END_STREAM has arrived. */
  complete(trailers: Fields | undefined): void {
    this.isComplete = true
    this.#trailers = trailers
    this.#feed()
  }

  /** The rest will not come, or nobody wants it: reads reject from now on. */
  fail(reason: string): void {
    if (this.#failure !== undefined) return
    this.#failure = new Error(`The content of the request broke off: ${reason}`)
    this.deadlineMs = Infinity
    const unread = this.#input.length
    if (unread > 0) {
      this.#input.use(unread)
      this.#flow.giveConnectionWindow(unread)
    }
    if (this.#target > INITIAL_WINDOW_OCTETS) this.#flow.borrowWindow(INITIAL_WINDOW_OCTETS - this.#target)
    this.#target = INITIAL_WINDOW_OCTETS
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(this.#failure)
  }

  #feed(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const octets = this.#take(waiting.limitOctets)
    if (octets === undefined) return
    this.#waiting = undefined
    this.deadlineMs = Infinity
    waiting.resolve(octets)
  }

  /** Octets at hand, null at the end, undefined when there are none yet or never will be. */
  #take(limitOctets: number): Uint8Array | null | undefined {
    if (this.#failure !== undefined) return undefined
    if (this.#input.length === 0) return this.isComplete ? null : undefined
    const octets = this.#input.take(limitOctets)
    this.#flow.giveConnectionWindow(octets.length)
    if (!this.isComplete) this.giveWindow(octets.length)
    return octets
  }

  /**
   * Octets of the stream's window are free again: they were read, or were padding. Half the window is given back at a
   * time: a frame for each read would cost more than it brings.
   */
  giveWindow(octets: number): void {
    this.#readOctets += octets
    this.#sinceGrowth += octets
    if (this.#readOctets < this.#target / 2) return
    // Who reads a window's worth reads fast: with a wider one the line's delay counts less.
    if (this.#sinceGrowth >= 2 * this.#target && this.#target < LIMIT_WINDOW_OCTETS) {
      this.#sinceGrowth = 0
      if (this.#flow.borrowWindow(this.#target)) {
        this.#readOctets += this.#target
        this.#target *= 2
      }
    }
    this.windowOctets += this.#readOctets
    this.#flow.giveStreamWindow(this.#streamId, this.#readOctets)
    this.#readOctets = 0
  }
}

type Waiting = {
  readonly resolve: (octets: Uint8Array | null) => void
  readonly reject: (failure: Error) => void
  readonly limitOctets: number
}

/** what a client may send before it has read our SETTINGS (RFC 9113 §6.9.2) */
export const INITIAL_WINDOW_OCTETS = 65_535
/** 2 MiB/s over a line of 250 ms */
const LIMIT_WINDOW_OCTETS = 8 * INITIAL_WINDOW_OCTETS
const LIMIT_COPY_OCTETS = 4096
