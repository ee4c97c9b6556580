import { createHash, type Hash } from 'node:crypto'
import type { Source } from '#http/exchange.ts'
import { Fault } from './body.ts'
import type { ChunkSigner } from './sigv4.ts'

/** The content coding `aws-chunked` of S3 clients: chunks with or without signatures, then trailers. */
export class AwsChunked {
  readonly #source: Source
  /** null: the chunks are not signed */
  readonly #signer: ChunkSigner | null
  #held: Buffer = NONE
  #left = 0
  #isAfterChunk = false
  #hasEnded = false
  #hash: Hash | undefined
  #chunkSignature = ''
  readonly #trailers = new Map<string, string>()

  constructor(source: Source, signer: ChunkSigner | null) {
    this.#source = source
    this.#signer = signer
  }

  /** Fields after the content, such as `x-amz-checksum-crc32`, once `read` has given null. */
  get trailers(): ReadonlyMap<string, string> {
    return this.#trailers
  }

  /** @throws {Fault} when the coding is malformed or a signature is not right */
  async read(): Promise<Uint8Array | null> {
    if (this.#hasEnded) return null
    if (this.#left === 0 && !(await this.#beginChunk())) return null
    if (this.#held.length === 0) await this.#more()
    const octets = this.#held.subarray(0, this.#left)
    this.#held = this.#held.subarray(octets.length)
    this.#left -= octets.length
    this.#hash?.update(octets)
    if (this.#left === 0) this.#checkChunk()
    return octets
  }

  async #beginChunk(): Promise<boolean> {
    if (this.#isAfterChunk && (await this.#line()) !== '')
      throw new Fault(400, 'a chunk is longer than it says')
    this.#isAfterChunk = true
    const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(await this.#line())
    if (match === null) throw new Fault(400, 'a chunk does not begin with its length')
    this.#left = Number.parseInt(match[1]!, 16)
    this.#chunkSignature = match[2] ?? ''
    this.#hash = this.#signer === null ? undefined : createHash('sha256')
    if (this.#left > 0) return true
    this.#checkChunk()
    await this.#readTrailers()
    this.#hasEnded = true
    return false
  }

  #checkChunk(): void {
    if (this.#signer === null || this.#hash === undefined) return
    if (!this.#signer.isChunk(this.#chunkSignature, this.#hash.digest('hex'))) {
      throw new Fault(403, 'the signature of a chunk is not right')
    }
    this.#hash = undefined
  }

  async #readTrailers(): Promise<void> {
    let lines = ''
    for (let count = 0; ; count++) {
      const line = await this.#line(true)
      if (line === '') break
      const [, name = '', value = ''] = /^([\w-]{1,64}):\s*([\x21-\x7e]{0,512})$/.exec(line) ?? []
      if (name === '' || count === LIMIT_TRAILERS) throw new Fault(400, 'a trailer is malformed')
      if (name === 'x-amz-trailer-signature') {
        if (this.#signer?.isTrailer(value, lines) === false)
          throw new Fault(403, 'the signature of the trailers is not right')
        lines = ''
      } else {
        this.#trailers.set(name.toLowerCase(), value)
        lines += `${name.toLowerCase()}:${value}\n`
      }
    }
    if (this.#signer !== null && lines !== '') throw new Fault(403, 'the trailers are not signed')
  }

  /** @param mayEnd the content may end instead of an empty line */
  async #line(mayEnd = false): Promise<string> {
    for (;;) {
      const at = this.#held.indexOf('\n')
      if (at > LIMIT_LINE || (at < 0 && this.#held.length > LIMIT_LINE))
        throw new Fault(400, 'a line of a chunk is too long')
      if (at >= 0) {
        const line = this.#held.toString('latin1', 0, at).replace(/\r$/, '')
        this.#held = this.#held.subarray(at + 1)
        return line
      }
      const kept = Buffer.from(this.#held)
      if (!(await this.#more(mayEnd))) return ''
      this.#held = Buffer.concat([kept, this.#held])
    }
  }

  async #more(mayEnd = false): Promise<boolean> {
    const octets = await this.#source.read(READ_OCTETS)
    if (octets === null && !mayEnd) throw new Fault(400, 'the content ends inside a chunk')
    this.#held = octets === null ? NONE : Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    return octets !== null
  }
}

const NONE: Buffer = Buffer.alloc(0)
const READ_OCTETS = 262_144
const LIMIT_LINE = 1024
const LIMIT_TRAILERS = 16
