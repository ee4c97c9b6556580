import type { Socket } from 'node:net'

/** Watches whether a client takes what its socket was given. */
export class TakeWatch {
  readonly #socket: Socket
  /** since when nothing was taken, in milliseconds of the clock; Infinity while there is nothing to take */
  #sinceMs = Infinity
  #unsentOctets = 0

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Octets were written, or the socket has taken all of them. */
  note(isBlocked: boolean, nowMs: number): void {
    this.#sinceMs = isBlocked ? nowMs : Infinity
    // Looked at when time has passed: most of what is written is taken long before.
    this.#unsentOctets = Infinity
  }

  /** How long nothing was taken; 0 while there is nothing to take. Large pieces go in parts: each of them is progress. */
  silentMs(nowMs: number): number {
    if (this.#sinceMs === Infinity) return 0
    const { unsentOctets } = this
    if (unsentOctets < this.#unsentOctets && this.#unsentOctets !== Infinity) this.#sinceMs = nowMs
    this.#unsentOctets = unsentOctets
    return nowMs - this.#sinceMs
  }

  /**
   * Octets that the socket was given and the kernel has not taken.
   *
   * Node counts a write as a whole until all of it went. Its handle knows the rest of it, which is not public API; over
   * TLS the handle that knows is the one below. Where there is none, whole writes are counted.
   */
  get unsentOctets(): number {
    const below: unknown = Reflect.get(this.#socket, '_parent') ?? this.#socket
    const handle: unknown = typeof below === 'object' && below !== null ? Reflect.get(below, '_handle') : null
    const isKnown = typeof handle === 'object' && handle !== null && 'writeQueueSize' in handle
    return isKnown && typeof handle.writeQueueSize === 'number'
      ? handle.writeQueueSize
      : this.#socket.writableLength
  }
}
