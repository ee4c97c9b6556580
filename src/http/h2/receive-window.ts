import type { Sender } from './sender.ts'
import { type BodyFlow, INITIAL_WINDOW_OCTETS } from './stream-body.ts'

/**
 * What a client may send on the whole connection (RFC 9113 §5.2.2): as much as all its streams together, so that one
 * that nobody reads does not use up what the others need.
 */
export class ReceiveWindow implements BodyFlow {
  readonly #sender: Sender
  readonly #onWanted: (streamId: number) => void
  #leftOctets: number
  /** read, and not yet given back to the client */
  #readOctets = 0
  #spareOctets = SPARE_OCTETS

  /** @param onWanted a handler waits for content of this stream */
  constructor(sender: Sender, streams: number, onWanted: (streamId: number) => void) {
    this.#sender = sender
    this.#onWanted = onWanted
    this.#leftOctets = streams * INITIAL_WINDOW_OCTETS + SPARE_OCTETS + ANNOUNCED_OCTETS
  }

  /** Tell the client of what goes beyond the window that every connection begins with (RFC 9113 §6.9.2). */
  announce(): void {
    this.#sender.writeWindowUpdate(0, this.#leftOctets - INITIAL_WINDOW_OCTETS)
  }

  /** DATA has come. @returns whether the client was allowed to send so much */
  take(octets: number): boolean {
    this.#leftOctets -= octets
    return this.#leftOctets >= 0
  }

  giveConnectionWindow(octets: number): void {
    this.#readOctets += octets
    if (this.#readOctets < ANNOUNCED_OCTETS) return
    this.#leftOctets += this.#readOctets
    this.#sender.writeWindowUpdate(0, this.#readOctets)
    this.#readOctets = 0
  }

  giveStreamWindow(streamId: number, octets: number): void {
    this.#sender.writeWindowUpdate(streamId, octets)
  }

  borrowWindow(octets: number): boolean {
    if (octets > this.#spareOctets) return false
    this.#spareOctets -= octets
    return true
  }

  bodyWanted(streamId: number): void {
    this.#onWanted(streamId)
  }
}

/** for streams that are read fast, beyond the initial window of each */
const SPARE_OCTETS = 4 * 2 ** 20
const ANNOUNCED_OCTETS = 262_144
