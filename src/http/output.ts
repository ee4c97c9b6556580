import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { readNow } from '#core/file-content.ts'
import { kernelFile } from '#core/kernel-file.ts'
import { type FileSpan, SMALL_OCTETS } from './exchange.ts'
import { TakeWatch } from './take-watch.ts'
import { flushAtEndOfTurn } from './turn.ts'
import { RUN_OCTETS, type TurnMemory, turnMemory } from './turn-memory.ts'

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
  readonly #isSecure: boolean
  #isCorked = false
  /** where what is held lies */
  #memory: TurnMemory | undefined
  #start = 0
  #end = 0

  constructor(socket: Socket) {
    this.#socket = socket
    this.taking = new TakeWatch(socket)
    this.#copyOctets = socket.writableHighWaterMark
    this.#isSecure = socket instanceof TLSSocket
  }

  /** Send a head (Latin-1, or octets already), octets and Latin-1 text after them, in one write. */
  send(head: string | Uint8Array, octets: Uint8Array = NONE, tail = ''): void {
    this.uncork()
    const total = head.length + octets.length + tail.length
    if (total > RUN_OCTETS || (octets.length > SMALL_OCTETS && total >= this.#copyOctets)) {
      this.#sendLarge(head, octets, tail)
      return
    }
    if (octets.length === 0 && !this.isHolding && this.#memory === undefined) {
      this.#note(write(this.#socket, tail === '' ? head : head + tail))
      return
    }
    this.#hold(total)
    this.#append(head)
    if (octets.length > 0) this.#append(octets)
    if (tail !== '') this.#append(tail)
  }

  /**
   * Send a head and octets of a file behind it, without reading them.
   *
   * What a full socket does not take is read, so far as to have something whose end tells when it takes more.
   *
   * @param isLast nothing follows it at once
   * @returns octets of the file that were sent; null when nothing was, the head neither
   */
  sendSpan(head: string, span: FileSpan, isLast: boolean): number | null {
    const socket = kernelFile === undefined || this.#isSecure ? undefined : descriptorOf(this.#socket)
    if (kernelFile === undefined || socket === undefined) return null
    if (this.#memory !== undefined) this.#writeHeld()
    if (this.#socket.writableLength > 0) return null
    if (!isLast && !this.#isCorked) {
      this.#isCorked = true
      kernelFile.cork(socket, true)
    }
    if (head !== '') {
      const octets = kernelFile.sendHead(socket, head)
      if (octets <= 0) return null
      if (octets < head.length) {
        this.#note(write(this.#socket, head.slice(octets)))
        return 0
      }
    }
    const takenOctets = Math.max(0, kernelFile.sendPart(socket, span.descriptor, span))
    const sentOctets = takenOctets + this.#sendProbe(span, takenOctets)
    if (isLast && sentOctets === span.lengthOctets) this.uncork()
    return sentOctets
  }

  /** Nothing more of a file follows at once. */
  uncork(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    const socket = descriptorOf(this.#socket)
    if (socket !== undefined) kernelFile?.cork(socket, false)
  }

  /** Hold nothing more: what was held back goes out at the end of this turn. */
  release(): void {
    if (this.isHolding && this.#memory !== undefined) flushAtEndOfTurn(this)
    this.isHolding = false
  }

  /** Send what was held back, and hold nothing more. */
  flush(): void {
    this.isHolding = false
    if (this.#memory !== undefined) this.#writeHeld()
  }

  /** Of what a full socket did not take so much that its end tells when it takes more. Returns how many octets. */
  #sendProbe({ descriptor, position, lengthOctets }: FileSpan, takenOctets: number): number {
    const leftOctets = Math.min(COPY_OCTETS, lengthOctets - takenOctets)
    if (leftOctets === 0) return 0
    const probe = readNow(descriptor, position + takenOctets, leftOctets)
    if (probe.length > 0) this.#note(this.#socket.write(probe))
    return probe.length
  }

  /** Make room behind what is held. */
  #hold(octets: number): void {
    const held = this.#memory
    if (held !== undefined) {
      const isLast = held.end === this.#end && held.roomOctets >= octets
      if (isLast && this.#end - this.#start + octets <= RUN_OCTETS) return
      this.#writeHeld()
    } else if (!this.isHolding) flushAtEndOfTurn(this)
    const memory = turnMemory(octets)
    memory.begin()
    this.#memory = memory
    this.#start = memory.end
    this.#end = memory.end
  }

  #append(part: string | Uint8Array): void {
    const memory = this.#memory!
    if (typeof part === 'string') memory.octets.write(part, memory.end, 'latin1')
    else memory.octets.set(part, memory.end)
    memory.end += part.length
    this.#end = memory.end
  }

  #writeHeld(): void {
    const memory = this.#memory!
    const run = memory.octets.subarray(this.#start, this.#end)
    this.#memory = undefined
    // TLS may hold on to what it was given.
    this.#note(this.#socket.write(this.#isSecure ? Buffer.from(run) : run))
    memory.finish(this.#isSecure || this.#socket.writableLength === 0)
  }

  #sendLarge(head: string | Uint8Array, octets: Uint8Array, tail: string): void {
    if (this.#memory !== undefined) this.#writeHeld()
    const socket = this.#socket
    if (head === '' && tail === '') {
      this.#note(socket.write(octets))
      return
    }
    socket.cork()
    if (head !== '') write(socket, head)
    let goesOn = socket.write(octets)
    if (tail !== '') goesOn = write(socket, tail) && goesOn
    socket.uncork()
    this.#note(goesOn)
  }

  #note(goesOn: boolean): void {
    // A write that the kernel took at once leaves nothing to wait for, whatever the high-water mark says.
    if (!goesOn && this.#socket.writableLength > 0) this.isBlocked = true
  }
}

function write(socket: Socket, part: string | Uint8Array): boolean {
  return typeof part === 'string' ? socket.write(part, 'latin1') : socket.write(part)
}

/** Of a socket, where there is one; not public API. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  const isKnown = typeof handle === 'object' && handle !== null && 'fd' in handle
  return isKnown && typeof handle.fd === 'number' && handle.fd >= 0 ? handle.fd : undefined
}

const NONE = new Uint8Array(0)
