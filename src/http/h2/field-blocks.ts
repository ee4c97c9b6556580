import { connectionError, ENHANCE_YOUR_CALM, type H2Error } from './wire/error.ts'

/** A field block that came in several frames (RFC 9113 §4.3). */
export class FieldBlocks {
  streamId = 0
  flags = 0
  #parts: Buffer[] = []
  #octets = 0

  /** A block was begun, and its end has not come. */
  get isOpen(): boolean {
    return this.#parts.length > 0
  }

  begin(streamId: number, flags: number, part: Buffer): void {
    this.streamId = streamId
    this.flags = flags
    this.#parts = [Buffer.from(part)]
    this.#octets = part.length
  }

  /** @param limitOctets of the block as it is sent */
  add(part: Buffer, limitOctets: number): H2Error | undefined {
    this.#octets += part.length
    this.#parts.push(Buffer.from(part))
    if (this.#octets <= limitOctets && this.#parts.length <= LIMIT_PARTS) return undefined
    return connectionError(ENHANCE_YOUR_CALM, `a field block has more than ${this.#octets} octets or frames`)
  }

  /** The whole block; the next one may begin. */
  take(): Buffer {
    const block = Buffer.concat(this.#parts, this.#octets)
    this.#parts = []
    this.#octets = 0
    return block
  }
}

/** The largest block that a limit allows has a part for each 16 KiB; some clients cut smaller. */
const LIMIT_PARTS = 64
