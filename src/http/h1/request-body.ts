import type { EndReason, Source } from '#http/exchange.ts'
import { ChunkedDecoder } from '#http/wire/chunked.ts'
import type { Fields } from '#http/wire/fields.ts'
import type { HeadLimits } from '#http/wire/head.ts'
import type { Input } from '#http/wire/input.ts'
import { isRefusal, type Refusal, refuse } from '#http/wire/refusal.ts'
import { ReadBlocks } from './read-blocks.ts'

export type RequestBodyOptions = {
  readonly input: Input
  readonly length: number | 'chunked'
  readonly limits: HeadLimits & { readonly bodyOctets: number }
  /** more octets are wanted from the client than have arrived */
  readonly onWanted: () => void
  /** the client broke the rules of framing, or sent too much; the body has failed already */
  readonly onRefused: (refusal: Refusal) => void
}

/** The content of a request, read from the connection as its owner pulls it. */
export class RequestBody implements Source {
  receivedOctets = 0
  /** everything up to the last octet of the message has been read */
  isComplete = false
  /** its owner wants octets that have not arrived */
  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  readonly #options: RequestBodyOptions
  readonly #decoder: ChunkedDecoder | undefined
  #leftOctets: number
  #waiting: Waiting | undefined
  #failure: Error | undefined
  #blocks: ReadBlocks | undefined
  /** memory of the octets that its reader has got, until it asks for more */
  #lent: ArrayBufferLike | undefined
  #limitOctets: number

  constructor(options: RequestBodyOptions) {
    this.#options = options
    this.#decoder = options.length === 'chunked' ? new ChunkedDecoder(options.limits) : undefined
    this.#leftOctets = options.length === 'chunked' ? 0 : options.length
    this.#limitOctets = options.limits.bodyOctets
  }

  /** Octets that are known to come; 0 when the length is not known. */
  get leftOctets(): number {
    return this.#leftOctets
  }

  /** Memory to read the rest into; undefined when it is not worth it. */
  get blocks(): ReadBlocks | undefined {
    const isLarge = this.receivedOctets >= LARGE_OCTETS || this.#leftOctets >= LARGE_OCTETS
    if (this.isComplete || !isLarge) return undefined
    const { input } = this.#options
    this.#blocks ??= new ReadBlocks((memory) => input.octets.buffer === memory || this.#lent === memory)
    return this.#blocks
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const octets = this.#failure === undefined ? this.#take(limitOctets) : undefined
    this.#lent = octets?.buffer
    if (octets !== undefined) return octets
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject, limitOctets }
      this.#options.onWanted()
    })
  }

  /** What was not read is left to the connection, which reads over it or closes. */
  cancel(reason: EndReason): void {
    this.fail(reason)
  }

  unlimit(): void {
    this.#limitOctets = Number.POSITIVE_INFINITY
  }

  trailers(): Fields | undefined {
    return this.#decoder?.trailers
  }

  /** Octets have arrived: give them to who waits. */
  feed(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const octets = this.#take(waiting.limitOctets)
    if (octets === undefined) return
    this.#waiting = undefined
    this.#lent = octets?.buffer
    waiting.resolve(octets)
  }

  /** The rest will not come, or nobody wants it: reads reject from now on. */
  fail(reason: string): void {
    if (this.#failure !== undefined || (this.isComplete && this.#waiting === undefined)) return
    this.#failure = new Error(`The content of the request broke off: ${reason}`)
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(this.#failure)
  }

  /**
   * Read over what has arrived of the content.
   *
   * @returns the octets that were thrown away
   */
  discard(): number {
    const before = this.receivedOctets
    while (!this.isComplete && this.#take(DISCARD_OCTETS)) {}
    return this.receivedOctets - before
  }

  /** Octets at hand, null at the end, undefined when there are none yet or never will be. */
  #take(limitOctets: number): Uint8Array | null | undefined {
    if (this.isComplete) return null
    const octets = this.#decoder === undefined ? this.#takePlain(limitOctets) : this.#takeChunked(limitOctets)
    if (octets === undefined || octets === null) return octets
    this.receivedOctets += octets.length
    if (this.receivedOctets > this.#limitOctets) {
      return this.#refuse(refuse(413, `the content is larger than ${this.#limitOctets} octets`))
    }
    return octets
  }

  #takePlain(limitOctets: number): Uint8Array | undefined {
    if (this.#options.input.length === 0) return undefined
    const octets = this.#options.input.take(Math.min(limitOctets, this.#leftOctets))
    this.#leftOctets -= octets.length
    this.isComplete = this.#leftOctets === 0
    return octets
  }

  /** Small chunks that have come together are given together: each piece costs who takes it more than who sent it. */
  #takeChunked(limitOctets: number): Uint8Array | null | undefined {
    const pieces: Buffer[] = []
    let gatheredOctets = 0
    while (gatheredOctets < Math.min(limitOctets, GATHER_OCTETS)) {
      const octets = this.#decoder!.read(this.#options.input, limitOctets - gatheredOctets)
      if (isRefusal(octets)) return this.#refuse(octets)
      if (octets === undefined || octets === null) {
        if (pieces.length > 0) break
        this.isComplete = octets === null
        return octets
      }
      pieces.push(octets)
      gatheredOctets += octets.length
    }
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, gatheredOctets)
  }

  #refuse(refusal: Refusal): undefined {
    this.fail(refusal.reason)
    this.#options.onRefused(refusal)
    return undefined
  }
}

type Waiting = {
  readonly resolve: (octets: Uint8Array | null) => void
  readonly reject: (failure: Error) => void
  readonly limitOctets: number
}

/** 1 MiB */
const LARGE_OCTETS = 1_048_576
const DISCARD_OCTETS = 65_536
/** from here on a piece is worth its cost */
const GATHER_OCTETS = 4096
