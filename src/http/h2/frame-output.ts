import type { Socket } from 'node:net'

/**
 * The way out of an HTTP/2 connection: frames are written into memory, and what a turn of the event loop has gathered
 * goes to the socket in one write. One write is under way at a time, and the next gathers behind it.
 */
export class FrameOutput {
  /** where the next frame goes, from `end` on; only `reserve` makes sure that there is room */
  octets: Buffer = NONE
  end = 0
  /** a write is under way */
  isWriting = false
  /** how many writes the socket has taken */
  taken = 0
  readonly #socket: Socket
  readonly #onTaken: () => void
  /** filled before the socket took what was written earlier */
  #filled: Buffer[] = []
  #filledOctets = 0
  #isFinished = false
  /** lent to the socket until it has written it */
  #lent: Buffer = NONE

  /** @param onTaken the socket has taken what was written and can take more */
  constructor(socket: Socket, onTaken: () => void) {
    this.#socket = socket
    this.#onTaken = onTaken
  }

  /** Octets that the socket was not given yet. */
  get waitingOctets(): number {
    return this.#filledOctets + this.end
  }

  /** Enough waits for the socket: content waits at its source. */
  get isFull(): boolean {
    return this.waitingOctets >= FULL_OCTETS
  }

  /** Make room for `count` octets at `end`; the caller writes them and moves `end`. */
  reserve(count: number): void {
    if (this.octets.length - this.end >= count) return
    if (this.end > 0) {
      this.#filled.push(this.octets.subarray(0, this.end))
      this.#filledOctets += this.end
    }
    this.octets = count > BUFFER_OCTETS ? Buffer.allocUnsafeSlow(count) : (pool.pop() ?? allocate())
    this.end = 0
  }

  /** Write a copy of `frame`. */
  append(frame: Uint8Array): void {
    this.reserve(frame.length)
    this.octets.set(frame, this.end)
    this.end += frame.length
  }

  /** Give the socket what was gathered, unless it is still busy. */
  flush(): void {
    if (this.isWriting || this.#isFinished) return
    const filled = this.#filled.shift()
    if (filled !== undefined) {
      this.#filledOctets -= filled.length
      this.#write(filled)
    } else if (this.end > 0) {
      const octets = this.octets.subarray(0, this.end)
      this.octets = NONE
      this.end = 0
      this.#write(octets)
    }
  }

  /** Give the socket all that was gathered, and FIN behind it. */
  finish(): void {
    for (const filled of this.#filled) this.#socket.write(filled)
    if (this.end > 0) this.#socket.write(this.octets.subarray(0, this.end))
    this.#filled = []
    this.#filledOctets = 0
    this.octets = NONE
    this.end = 0
    this.#isFinished = true
    this.#socket.end()
  }

  #write(octets: Buffer): void {
    this.isWriting = true
    this.#lent = octets
    this.#socket.write(octets, this.#onWritten)
  }

  readonly #onWritten = (error?: Error | null): void => {
    const lent = this.#lent
    this.#lent = NONE
    // What a socket failed to write may still be read by the kernel: it is left to the collector.
    if (error != null) return
    this.isWriting = false
    this.taken++
    if (lent.buffer.byteLength === BUFFER_OCTETS && pool.length < LIMIT_POOL)
      pool.push(Buffer.from(lent.buffer as ArrayBuffer))
    this.#onTaken()
  }
}

/** four full DATA frames, each a TLS record, and some frames beside them */
const BUFFER_OCTETS = 67_584
const FULL_OCTETS = 65_536
/** buffers kept for the next turn, 4 MiB: connections that are idle have none */
const LIMIT_POOL = 64
const NONE = Buffer.alloc(0)

const pool: Buffer[] = []

function allocate(): Buffer {
  return Buffer.allocUnsafeSlow(BUFFER_OCTETS)
}
