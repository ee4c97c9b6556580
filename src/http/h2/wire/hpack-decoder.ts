import { COMPRESSION_ERROR, connectionError, type H2Error } from './error.ts'
import { Field } from './field.ts'
import { STATIC_TABLE } from './hpack-tables.ts'
import { decodeHuffman } from './huffman.ts'

/** How much the fields of one block may hold, counted as RFC 9113 §6.5.2 does: 32 octets a line bound the lines too. */
export type ListLimits = { readonly headerOctets: number }

const NOTHING = Buffer.alloc(0)

/** Decodes the field blocks of one connection, in the order in which they come (RFC 7541). */
export class HpackDecoder {
  /** Rises with each change of the dynamic table: a block that changed nothing says the same until it rises. */
  generation = 0
  /** the largest table that the peer may ask for: our SETTINGS_HEADER_TABLE_SIZE */
  readonly #limitOctets: number
  #maxOctets: number
  #tableOctets = 0
  /** the dynamic table, oldest first */
  readonly #entries: Field[] = []
  #octets: Buffer = NOTHING
  #at = 0
  #end = 0

  /** @param limitOctets our SETTINGS_HEADER_TABLE_SIZE, 4096 or more: peers count on 4096 until they have read less */
  constructor(limitOctets: number) {
    this.#limitOctets = limitOctets
    this.#maxOctets = limitOctets
  }

  /**
   * Decode a whole field block.
   *
   * A list beyond the limit is still read to its end, as the next block builds on its table entries, but not kept.
   */
  decode(octets: Buffer, start: number, end: number, limits: ListLimits): Field[] | 'too large' | H2Error {
    this.#octets = octets
    this.#at = start
    this.#end = end
    const result = this.#readSizeUpdates() ?? this.#readFields(limits)
    // A connection that is idle now does not hold on to the chunk in which the block came.
    this.#octets = NOTHING
    return result
  }

  #readFields(limits: ListLimits): Field[] | 'too large' | H2Error {
    const list: Field[] = []
    let roomOctets = limits.headerOctets
    while (this.#at < this.#end) {
      const field = this.#readField()
      if (!(field instanceof Field)) return field
      roomOctets -= field.sizeOctets
      if (roomOctets >= 0) list.push(field)
    }
    return roomOctets < 0 ? 'too large' : list
  }

  /** RFC 7541 §4.2: the size changes at the beginning of a block only. */
  #readSizeUpdates(): H2Error | undefined {
    while (this.#at < this.#end && (this.#octets[this.#at]! & 0xe0) === 0x20) {
      const size = this.#readInteger(0x1f)
      // RFC 7541 §6.3
      if (size < 0 || size > this.#limitOctets) {
        return compressionError(`the table is to hold more than ${this.#limitOctets} octets`)
      }
      this.#maxOctets = size
      this.#evict(size)
      this.generation++
    }
    return undefined
  }

  #readField(): Field | H2Error {
    const first = this.#octets[this.#at]!
    if ((first & 0x80) !== 0) return this.#entry(this.#readInteger(0x7f)) ?? badIndex()
    if ((first & 0x40) !== 0) {
      const field = this.#readLiteral(0x3f)
      if (field instanceof Field) this.#insert(field)
      return field
    }
    if ((first & 0x20) !== 0) return compressionError('a table size update stands behind a field')
    return this.#readLiteral(0x0f)
  }

  #readLiteral(prefix: number): Field | H2Error {
    const index = this.#readInteger(prefix)
    if (index < 0) return badIndex()
    const name = index === 0 ? this.#readString() : this.#entry(index)?.name
    if (name === undefined) return index === 0 ? badString() : badIndex()
    const value = this.#readString()
    return value === undefined ? badString() : new Field(name, value)
  }

  /** RFC 7541 §2.3.3: index 0 is none; the static entries come first, then the newest. */
  #entry(index: number): Field | undefined {
    if (index <= STATIC_FIELDS.length) return STATIC_FIELDS[index - 1]
    return this.#entries[this.#entries.length + STATIC_FIELDS.length - index]
  }

  /** RFC 7541 §4.4: an entry that is larger than the table empties it. */
  #insert(field: Field): void {
    this.generation++
    this.#evict(this.#maxOctets - field.sizeOctets)
    if (field.sizeOctets > this.#maxOctets) return
    this.#entries.push(field)
    this.#tableOctets += field.sizeOctets
  }

  /** Drop the oldest entries until the others fit. */
  #evict(limitOctets: number): void {
    while (this.#entries.length > 0 && this.#tableOctets > limitOctets) {
      this.#tableOctets -= this.#entries.shift()!.sizeOctets
    }
  }

  /** RFC 7541 §5.1. @returns -1 when the integer breaks off or is beyond what anything here can mean */
  #readInteger(prefix: number): number {
    let value = this.#octets[this.#at++]! & prefix
    if (value < prefix) return value
    for (let shift = 0; shift <= LAST_SHIFT && this.#at < this.#end; shift += 7) {
      const octet = this.#octets[this.#at++]!
      value += (octet & 0x7f) << shift
      if (octet < 0x80) return value
    }
    return -1
  }

  /** RFC 7541 §5.2. @returns undefined when the string breaks off or is coded wrongly */
  #readString(): string | undefined {
    if (this.#at >= this.#end) return undefined
    const isHuffman = this.#octets[this.#at]! >= 0x80
    const length = this.#readInteger(0x7f)
    const start = this.#at
    if (length < 0 || length > this.#end - start) return undefined
    this.#at = start + length
    if (!isHuffman) return this.#octets.toString('latin1', start, start + length)
    const into = length < SCRATCH_OCTETS / 2 ? SCRATCH : Buffer.allocUnsafe(2 * length + 2)
    const decoded = decodeHuffman(this.#octets, start, start + length, into)
    return decoded < 0 ? undefined : into.toString('latin1', 0, decoded)
  }
}

const STATIC_FIELDS: readonly Field[] = STATIC_TABLE.map(([name, value]) => new Field(name, value))
/** four octets after the prefix: 2^28, more than any table or block holds */
const LAST_SHIFT = 21
const SCRATCH_OCTETS = 8192
const SCRATCH = Buffer.allocUnsafeSlow(SCRATCH_OCTETS)

function compressionError(reason: string): H2Error {
  return connectionError(COMPRESSION_ERROR, reason)
}

function badIndex(): H2Error {
  return compressionError('an index is outside of the tables')
}

function badString(): H2Error {
  return compressionError('a string breaks off or is coded wrongly')
}
