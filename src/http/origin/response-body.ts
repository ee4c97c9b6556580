import type { EndReason, Source } from '../exchange.ts'
import { ChunkedDecoder } from '../wire/chunked.ts'
import type { Fields } from '../wire/fields.ts'
import type { BodyLength } from '../wire/framing.ts'
import type { HeadLimits } from '../wire/head.ts'
import type { Input } from '../wire/input.ts'
import { isRefusal } from '../wire/refusal.ts'
import { BrokenBody } from './failure.ts'

/** What the body asks of the connection that it comes from. */
export type BodyConnection = {
  /** More octets are wanted: read the socket. */
  wantOctets(): void
  /** The content is complete and nobody holds octets of it any more. */
  contentRead(): void
  /** The content will not be read to its end. */
  destroy(reason: EndReason): void
}

/** The content of a response: taken out of its framing when it is asked for (RFC 9112 §6). */
export class ResponseBody implements Source {
  readonly #connection: BodyConnection
  readonly #input: Input
  readonly #decoder: ChunkedDecoder | undefined
  /** octets to come; infinite when only the end of the connection ends the content */
  #leftOctets: number
  #isOver = false
  /** the origin has closed its side: what is in the input is all that there will be */
  #isLast = false
  #trailers: Fields | undefined
  #failure: BrokenBody | undefined
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined
  #readerLimit = 0

  /** @param input what has arrived; the connection appends to it and calls `arrived` */
  constructor(connection: BodyConnection, input: Input, length: BodyLength, limits: HeadLimits) {
    this.#connection = connection
    this.#input = input
    this.#decoder = length === 'chunked' ? new ChunkedDecoder(limits) : undefined
    this.#leftOctets = typeof length === 'number' ? length : Number.POSITIVE_INFINITY
  }

  /** Somebody waits for octets. */
  get isWanted(): boolean {
    return this.#reader !== undefined
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const piece = this.#decode(limitOctets)
    if (piece !== undefined) return piece
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#readerLimit = limitOctets
    this.#reader = Promise.withResolvers()
    this.#connection.wantOctets()
    return this.#reader.promise
  }

  cancel(reason: EndReason): void {
    if (this.#isOver) return
    // A reader who counts octets need not ask once more for the end.
    if (this.#leftOctets === 0) {
      this.#end()
    } else {
      this.#isOver = true
      this.#connection.destroy(reason)
    }
  }

  trailers(): Fields | undefined {
    return this.#trailers ?? this.#decoder?.trailers
  }

  /** The input has grown. */
  arrived(): void {
    if (this.#reader === undefined) return
    const piece = this.#decode(this.#readerLimit)
    if (piece !== undefined) this.#settle(piece)
    else if (this.#failure !== undefined) this.#reject(this.#failure)
  }

  /** The origin has closed its side, maybe with trailers of HTTP/2. */
  ended(trailers?: Fields): void {
    this.#isLast = true
    this.#trailers = trailers
    this.arrived()
  }

  /** No more octets will come, and that is not how the content should end. */
  broke(reason: EndReason, detail: string): void {
    if (this.#isOver) return
    this.#failure ??= new BrokenBody(reason, detail)
    if (this.#reader !== undefined) this.#reject(this.#failure)
  }

  /** @returns octets, null at the end, or undefined when more must come first; then #failure may say that none will */
  #decode(limitOctets: number): Uint8Array | null | undefined {
    if (this.#isOver) return null
    const piece =
      this.#decoder === undefined ? this.#take(limitOctets) : this.#decoder.read(this.#input, limitOctets)
    if (piece === null) return this.#end()
    if (isRefusal(piece)) return this.#fail('origin broke the protocol', piece.reason)
    if (piece !== undefined || !this.#isLast) return piece
    // RFC 9112 §8: only content that nothing else delimits ends with the connection.
    if (this.#decoder === undefined && this.#leftOctets === Number.POSITIVE_INFINITY) return this.#end()
    return this.#fail('origin broke off', 'the connection ended before the content')
  }

  #take(limitOctets: number): Uint8Array | null | undefined {
    if (this.#leftOctets === 0) return null
    if (this.#input.length === 0) return undefined
    const piece = this.#input.take(Math.min(limitOctets, this.#leftOctets))
    this.#leftOctets -= piece.length
    return piece
  }

  #fail(reason: EndReason, detail: string): undefined {
    this.#failure ??= new BrokenBody(reason, detail)
    this.#connection.destroy(reason)
  }

  #end(): null {
    this.#isOver = true
    this.#connection.contentRead()
    return null
  }

  #settle(piece: Uint8Array | null): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.resolve(piece)
  }

  #reject(failure: BrokenBody): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.reject(failure)
  }
}
