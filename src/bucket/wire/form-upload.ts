import type { Source } from '#http/exchange.ts'
import {
  type BodyLimits,
  type BodyReader,
  decoderOf,
  Fault,
  type FilePart,
  type Told,
  type ToldFile,
  textOf,
} from './body.ts'
import { addField, CHARSET_FIELD } from './multipart.ts'

/** A value that is longer is no field of a form but a file that somebody sends in one. */
export const LIMIT_VALUE_OCTETS = 65_536

/**
 * Read application/x-www-form-urlencoded as it comes (WHATWG URL, section 5.1).
 *
 * A value of more than 64 KiB becomes a file that is named after its field.
 */
export class FormUpload implements BodyReader {
  readonly #source: Source
  readonly #limits: BodyLimits
  readonly #fields: Record<string, string | string[]> = Object.create(null)
  readonly #files: ToldFile[] = []
  #chunk: Buffer = NONE
  #hasEnded = false
  #fieldsOctets = 0
  #pairs = 0
  /** of UTF-8, unless the form says another */
  #decoder: TextDecoder | undefined
  /** begin of an escape that the last chunk ended with */
  #escape = ''
  /** what was decoded last */
  #decoded: Buffer = NONE

  constructor(source: Source, limits: BodyLimits) {
    this.#source = source
    this.#limits = limits
  }

  async next(): Promise<FilePart | null> {
    while (!this.#hasEnded || this.#chunk.length > 0) {
      const pieces = await this.#readValue(AMPERSAND, LIMIT_VALUE_OCTETS, [])
      if (pieces.isWhole) this.#addPair(Buffer.concat(pieces.octets))
      else return this.#beginFile(Buffer.concat(pieces.octets))
    }
    return null
  }

  conclude(): Told {
    return { fields: { ...this.#fields }, files: this.#files }
  }

  /** Up to a delimiter and over it, or what has arrived when that is more than the limit. */
  async #readValue(
    delimiter: number,
    limit: number,
    octets: Buffer[],
  ): Promise<{ octets: Buffer[]; isWhole: boolean }> {
    let length = 0
    for (;;) {
      const at = this.#chunk.indexOf(delimiter)
      const part = this.#chunk.subarray(0, at < 0 ? this.#chunk.length : at)
      // A copy, for the memory is the source's.
      if (length + part.length <= limit) {
        octets.push(Buffer.from(part))
        this.#chunk = this.#chunk.subarray(at < 0 ? part.length : at + 1)
      }
      length += part.length
      if (length > limit) return { octets, isWhole: false }
      if (at >= 0 || !(await this.#more())) return { octets, isWhole: true }
    }
  }

  #addPair(pair: Buffer): void {
    if (pair.length === 0) return
    this.#countPair(pair.length)
    const equals = pair.indexOf(EQUALS)
    const name = decode(pair.subarray(0, equals < 0 ? pair.length : equals))
    const value = equals < 0 ? NONE : decode(pair.subarray(equals + 1))
    const field = textOf(name, 'the name of a field', this.#decoder)
    const text = textOf(value, 'the value of a field', this.#decoder)
    if (field === CHARSET_FIELD && text !== '') this.#decoder = decoderOf(text)
    addField(this.#fields, field, text)
  }

  /** @param begin what has been read of the pair already; the rest stands in the chunk and after it */
  #beginFile(begin: Buffer): FilePart {
    const all = Buffer.concat([begin, this.#chunk])
    const equals = all.indexOf(EQUALS)
    if (equals < 0 || equals > LIMIT_NAME)
      throw new Fault(413, `the name of a field is longer than ${LIMIT_NAME} octets`)
    const field = textOf(decode(all.subarray(0, equals)), 'the name of a field', this.#decoder)
    this.#countPair(equals)
    this.#files.push({ field, name: null, type: null })
    this.#chunk = all.subarray(equals + 1)
    let hasEnded = false
    const read = async (): Promise<Uint8Array | null> => {
      if (hasEnded) return null
      for (;;) {
        const at = this.#chunk.indexOf(AMPERSAND)
        hasEnded = at >= 0
        const part = this.#decodePart(this.#chunk.subarray(0, hasEnded ? at : this.#chunk.length), hasEnded)
        this.#chunk = hasEnded ? this.#chunk.subarray(at + 1) : NONE
        if (part.length > 0) return part
        if (hasEnded) return null
        if (!(await this.#more())) {
          hasEnded = true
          return this.#escape === '' ? null : this.#decodePart(NONE, true)
        }
      }
    }
    return { type: null, read }
  }

  /** An escape may be cut between two chunks. */
  #decodePart(octets: Buffer, isLast: boolean): Buffer {
    const text = this.#escape === '' ? octets : Buffer.concat([Buffer.from(this.#escape, 'latin1'), octets])
    const cut = isLast ? -1 : text.indexOf(PERCENT, Math.max(0, text.length - 2))
    this.#escape = cut < 0 ? '' : text.toString('latin1', cut)
    if (this.#decoded.length < text.length) this.#decoded = Buffer.allocUnsafeSlow(text.length)
    return decode(cut < 0 ? text : text.subarray(0, cut), this.#decoded)
  }

  #countPair(octets: number): void {
    this.#pairs++
    this.#fieldsOctets += octets
    if (this.#pairs > this.#limits.partsLimit)
      throw new Fault(413, `there are more than ${this.#limits.partsLimit} fields`)
    if (this.#fieldsOctets > this.#limits.fieldsOctets) {
      throw new Fault(413, `the fields are larger than ${this.#limits.fieldsOctets} octets`)
    }
  }

  async #more(): Promise<boolean> {
    const octets = this.#hasEnded ? null : await this.#source.read(READ_OCTETS)
    this.#hasEnded = octets === null
    this.#chunk = octets === null ? NONE : Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    return octets !== null
  }
}

const [PERCENT, AMPERSAND, PLUS, EQUALS, SPACE] = [0x25, 0x26, 0x2b, 0x3d, 0x20]
const NONE: Buffer = Buffer.alloc(0)
const READ_OCTETS = 262_144
const LIMIT_NAME = 1024

/**
 * A plus is a space; a percent sign without two hexadecimal digits stands for itself.
 *
 * @param room memory for what comes out, which is never longer
 */
function decode(octets: Buffer, room: Buffer = Buffer.allocUnsafe(octets.length)): Buffer {
  const { length } = octets
  let end = 0
  for (let i = 0; i < length; i++) {
    const c = octets[i]!
    if (c === PERCENT && i + 2 < length) {
      const value = (HEX[octets[i + 1]!]! << 4) | HEX[octets[i + 2]!]!
      if (value < 256) {
        room[end++] = value
        i += 2
        continue
      }
    }
    room[end++] = c === PLUS ? SPACE : c
  }
  return room.subarray(0, end)
}

/** 256 for what is no digit: with it, no value is an octet */
const HEX: Uint16Array = Uint16Array.from({ length: 256 }, (_, c) => {
  const digit = Number.parseInt(String.fromCharCode(c), 16)
  return Number.isNaN(digit) ? 256 : digit
})
