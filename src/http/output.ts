import type { Socket } from 'node:net'
import { SMALL_OCTETS } from './exchange.ts'
import { TakeWatch } from './take-watch.ts'
import { flushAtEndOfTurn } from './turn.ts'

/** The high-water mark of sockets. Below it octets are copied behind their head: a second write costs more than the copy. */
export const COPY_OCTETS = 16_384

/**
 * The way out of a connection.
 *
 * Only what reaches the socket's high-water mark is written without a copy. It therefore always asks for a 'drain',
 * and `isBlocked` says that memory which was sent is still in use.
 */
export class Output {
  /** wait for 'drain' before sending more or reusing what was sent */
  isBlocked = false
  /** more requests are at hand (pipelining): gather their small responses for one write */
  isHolding = false
  readonly taking: TakeWatch
  readonly #socket: Socket
  /** `COPY_OCTETS`, but for TLS, which has its own */
  readonly #copyOctets: number
  /** Latin-1: joining strings leaves no buffers to collect, and the socket copies them out in one go */
  #held = ''

  constructor(socket: Socket) {
    this.#socket = socket
    this.taking = new TakeWatch(socket)
    this.#copyOctets = socket.writableHighWaterMark
  }

  /** Send Latin-1 text, octets and Latin-1 text after them, in one write. */
  send(text: string, octets: Uint8Array = NONE, tail = ''): void {
    const total = text.length + octets.length + tail.length
    if (octets.length > SMALL_OCTETS && total >= this.#copyOctets) {
      this.#sendLarge(text, octets, tail)
      return
    }
    if (octets.length === 0 && !this.isHolding && this.#held === '') {
      this.#note(this.#socket.write(text + tail, 'latin1'))
      return
    }
    if (!this.isHolding && this.#held === '') flushAtEndOfTurn(this)
    this.#held += octets.length === 0 ? text + tail : text + latin1(octets) + tail
    if (this.#held.length >= LIMIT_HELD_OCTETS) this.#writeHeld()
  }

  /** Hold nothing more: what was held back goes out at the end of this turn. */
  release(): void {
    if (this.isHolding && this.#held !== '') flushAtEndOfTurn(this)
    this.isHolding = false
  }

  /** Send what was held back, and hold nothing more. */
  flush(): void {
    this.isHolding = false
    if (this.#held !== '') this.#writeHeld()
  }

  #writeHeld(): void {
    const held = this.#held
    this.#held = ''
    this.#note(this.#socket.write(held, 'latin1'))
  }

  #sendLarge(text: string, octets: Uint8Array, tail: string): void {
    if (this.#held !== '') this.#writeHeld()
    const socket = this.#socket
    if (text === '' && tail === '') {
      this.#note(socket.write(octets))
      return
    }
    socket.cork()
    if (text !== '') socket.write(text, 'latin1')
    let goesOn = socket.write(octets)
    if (tail !== '') goesOn = socket.write(tail, 'latin1') && goesOn
    socket.uncork()
    this.#note(goesOn)
  }

  #note(goesOn: boolean): void {
    // A write that the kernel took at once leaves nothing to wait for, whatever the high-water mark says.
    if (!goesOn && this.#socket.writableLength > 0) this.isBlocked = true
  }
}

/** One character for each octet. */
function latin1(octets: Uint8Array): string {
  const buffer = Buffer.isBuffer(octets)
    ? octets
    : Buffer.from(octets.buffer, octets.byteOffset, octets.length)
  return buffer.toString('latin1')
}

const NONE = new Uint8Array(0)
const LIMIT_HELD_OCTETS = 65_536
