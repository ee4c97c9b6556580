import type { Writable } from 'node:stream'
import type { Source } from '../exchange.ts'
import { serializeFields } from '../wire/fields.ts'

/** How the content goes on the wire; `raw` ends with our side of the connection or stream. */
export type BodyCoding = 'length' | 'chunked' | 'raw'

/** Who is told how a body gets on. */
export type BodyWatcher = {
  /** The origin has taken octets. */
  progressed(): void
  /** The source broke off: what was sent is no whole request. */
  broke(error: unknown): void
}

// As much as a socket reads at once; a source that has more gives it with the next read.
const PIECE_OCTETS = 262_144

/** Moves a source to the origin's socket, or to a stream of HTTP/2, no faster than it takes octets. */
export class BodyWriter {
  readonly #socket: Writable
  readonly #source: Source
  readonly #coding: BodyCoding
  readonly #watcher: BodyWatcher
  #state: 'writing' | 'waiting for octets' | 'waiting for the socket' | 'stopped' | 'over' = 'writing'

  constructor(socket: Writable, source: Source, coding: BodyCoding, watcher: BodyWatcher) {
    this.#socket = socket
    this.#source = source
    this.#coding = coding
    this.#watcher = watcher
  }

  get isOver(): boolean {
    return this.#state === 'over'
  }

  /** Waits for whoever sends the body, not for the origin. */
  get waitsForOctets(): boolean {
    return this.#state === 'waiting for octets'
  }

  /** Begin with `head` and what is at hand of the body, in one write. */
  start(head: string): void {
    this.#socket.cork()
    if (head !== '') this.#socket.write(head, 'latin1', this.#onWritten)
    this.#take()
    this.#socket.uncork()
    this.#pump()
  }

  /** Send no more. */
  stop(): void {
    if (this.#state === 'over') return
    this.#state = 'stopped'
  }

  #pump(): void {
    while (this.#state === 'writing') {
      if (this.#socket.writableLength > 0) this.#state = 'waiting for the socket'
      else this.#take()
    }
  }

  /** One piece from the source to the socket. */
  #take(): void {
    const piece = this.#source.read(PIECE_OCTETS)
    if (piece instanceof Promise) {
      this.#state = 'waiting for octets'
      piece.then(this.#onPiece, this.#onBroken)
    } else this.#write(piece)
  }

  #write(piece: Uint8Array | null): void {
    if (piece === null) {
      this.#finish()
    } else if (piece.length > 0) {
      if (this.#coding === 'chunked') this.#writeChunk(piece)
      else this.#socket.write(piece, this.#onWritten)
    }
  }

  #writeChunk(piece: Uint8Array): void {
    this.#socket.cork()
    this.#socket.write(`${piece.length.toString(16)}\r\n`, 'latin1')
    this.#socket.write(piece, this.#onWritten)
    this.#socket.write('\r\n', 'latin1')
    this.#socket.uncork()
  }

  #finish(): void {
    this.#state = 'over'
    if (this.#coding === 'chunked') {
      const trailers = this.#source.trailers?.()
      this.#socket.write(`0\r\n${trailers === undefined ? '' : serializeFields(trailers)}\r\n`, 'latin1')
    } else if (this.#coding === 'raw') this.#socket.end()
  }

  readonly #onPiece = (piece: Uint8Array | null): void => {
    if (this.#state !== 'waiting for octets') return
    this.#state = 'writing'
    this.#write(piece)
    this.#pump()
  }

  readonly #onWritten = (error?: Error | null): void => {
    // The socket tells its own errors.
    if (error != null) return
    this.#watcher.progressed()
    if (this.#state !== 'waiting for the socket' || this.#socket.writableLength > 0) return
    this.#state = 'writing'
    this.#pump()
  }

  readonly #onBroken = (error: unknown): void => {
    if (this.#state !== 'waiting for octets') return
    this.#state = 'stopped'
    this.#watcher.broke(error)
  }
}
