import type { Transform } from 'node:stream'
import {
  brotliCompressSync,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib'
import type { EndReason, Source } from '../exchange.ts'
import type { Coding } from '../wire/accept-encoding.ts'
import type { Fields } from '../wire/fields.ts'

/**
 * The content of a source, compressed.
 *
 * A piece goes into the compressor when nobody waits to take what came out of it, so that both sides slow each other
 * down. What is at hand is never held back while the source has nothing more: an event is sent when it happens.
 */
export class CompressedContent implements Source {
  readonly #source: Source
  readonly #compressor: Compressor
  readonly #flushKind: number
  readonly #onDone: () => void
  /** out of the compressor, not read yet; no more than one piece makes */
  readonly #out: Buffer[] = []
  #pending: Promise<Uint8Array | null> | undefined
  #isFlushed = true
  #state: 'open' | 'ended' | 'done' = 'open'

  /** @param onDone called once when the memory of the compressor is free again */
  constructor(source: Source, coding: Coding, onDone: () => void) {
    this.#source = source
    this.#onDone = onDone
    this.#compressor = CREATE[coding]()
    this.#flushKind = FLUSH[coding]
    this.#compressor.on('data', (octets: Buffer) => this.#out.push(octets))
    // Who waits for the piece that failed is told by its callback.
    this.#compressor.on('error', () => {})
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const octets = this.#take(limitOctets)
    if (octets !== undefined) return octets
    return this.#state === 'open' ? this.#readMore(limitOctets) : this.#finish()
  }

  cancel(reason: EndReason): void {
    if (this.#state === 'done') return
    if (this.#state === 'open') this.#source.cancel(reason)
    this.#finish()
  }

  trailers(): Fields | undefined {
    return this.#source.trailers?.()
  }

  #take(limitOctets: number): Buffer | undefined {
    const first = this.#out[0]
    if (first === undefined || first.length <= limitOctets) return this.#out.shift()
    this.#out[0] = first.subarray(limitOctets)
    return first.subarray(0, limitOctets)
  }

  async #readMore(limitOctets: number): Promise<Uint8Array | null> {
    try {
      while (this.#state === 'open' && this.#out.length === 0) await this.#feed()
    } catch (failure) {
      this.#finish()
      throw failure
    }
    return this.#take(limitOctets) ?? this.#finish()
  }

  /** Move one piece on, or what has been held back when no piece is at hand. */
  async #feed(): Promise<void> {
    const read = this.#pending ?? this.#source.read(PIECE_OCTETS)
    const isAtHand = read === null || read instanceof Uint8Array
    if (!isAtHand && !this.#isFlushed) {
      this.#pending = read
      // Awaited later; without this, a failure until then would count as unhandled.
      read.catch(() => {})
      this.#isFlushed = true
      return new Promise((resolve) => this.#compressor.flush(this.#flushKind, resolve))
    }
    const octets = isAtHand ? read : await read
    this.#pending = undefined
    if (this.#state !== 'open') return
    if (octets === null) return this.#end()
    this.#isFlushed = false
    return new Promise((resolve, reject) => {
      this.#compressor.write(octets, (failure) => (failure == null ? resolve() : reject(failure)))
    })
  }

  #end(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#compressor.once('error', reject).once('end', () => {
        if (this.#state === 'open') this.#state = 'ended'
        resolve()
      })
      this.#compressor.end()
    })
  }

  #finish(): null {
    if (this.#state !== 'done') {
      this.#state = 'done'
      this.#out.length = 0
      this.#compressor.destroy()
      this.#onDone()
    }
    return null
  }
}

/** The whole of a short content, compressed while everyone waits. */
export function compressAtOnce(octets: Uint8Array, coding: Coding): Uint8Array {
  return AT_ONCE[coding](octets)
}

type Compressor = Transform & { flush(kind: number, callback: () => void): void }

/** 64 KiB: what an origin's socket gives at once */
const PIECE_OCTETS = 65_536

/** 2^18 octets: how far back a compressor looks bounds what a response costs in memory, to about 1 MiB. */
const WINDOW_BITS = 18

const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, ZSTD_c_compressionLevel, ZSTD_c_windowLog } = constants

/** What lets everything out that went in, and keeps what later content can refer to. */
const FLUSH: Readonly<Record<Coding, number>> = {
  zstd: constants.ZSTD_e_flush,
  br: constants.BROTLI_OPERATION_FLUSH,
  gzip: constants.Z_SYNC_FLUSH,
}

// The levels at which others compress as they serve: more costs several times the processor time for a few percent.
const BROTLI = { params: { [BROTLI_PARAM_QUALITY]: 4, [BROTLI_PARAM_LGWIN]: WINDOW_BITS } }
const ZSTD = { params: { [ZSTD_c_compressionLevel]: 3, [ZSTD_c_windowLog]: WINDOW_BITS } }

const GZIP = { level: 5 }

const CREATE: Readonly<Record<Coding, () => Compressor>> = {
  zstd: () => createZstdCompress(ZSTD),
  br: () => createBrotliCompress(BROTLI),
  gzip: () => createGzip(GZIP),
}

const AT_ONCE: Readonly<Record<Coding, (octets: Uint8Array) => Uint8Array>> = {
  zstd: (octets) => zstdCompressSync(octets, ZSTD),
  br: (octets) => brotliCompressSync(octets, BROTLI),
  gzip: (octets) => gzipSync(octets, GZIP),
}
