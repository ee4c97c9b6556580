import { FIELD_OVERHEAD } from './field.ts'
import { STATIC_TABLE } from './hpack-tables.ts'
import { encodeHuffman, huffmanLength } from './huffman.ts'

/** How a literal goes out (RFC 7541 §6.2): into the tables, past them, or past them on every hop to come. */
export type Indexing = 'incremental' | 'without' | 'never'

/**
 * Encodes the field blocks of one connection, in the order in which they are sent (RFC 7541).
 *
 * @example
 *     encoder.begin()
 *     encoder.add(':status', '200', 'incremental')
 *     writeFieldBlock(output, at, encoder, streamId, END_STREAM, maxFrameOctets)
 */
export class HpackEncoder {
  /** Rises with each change of the dynamic table: until it does, the same fields have the same block. */
  generation = 0
  /** holds the block that was begun last in its first `length` octets */
  block: Buffer = Buffer.allocUnsafe(256)
  length = 0
  readonly #limitOctets: number
  #maxOctets: number
  /** the smallest size since the last block */
  #leastOctets: number
  #owesSizeUpdate: boolean
  #tableOctets = 0
  /** the dynamic table, oldest first */
  readonly #entries: Entry[] = []
  /** entries that were ever inserted */
  #inserted = 0
  /** the newest entry of each name */
  readonly #newest = new Map<string, Entry>()

  /** @param limitOctets the largest table to keep, whatever size the peer would take */
  constructor(limitOctets: number) {
    this.#limitOctets = limitOctets
    this.#maxOctets = Math.min(limitOctets, INITIAL_TABLE_OCTETS)
    this.#leastOctets = this.#maxOctets
    this.#owesSizeUpdate = this.#maxOctets < INITIAL_TABLE_OCTETS
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE changed; the next block says what we make of it (RFC 7541 §4.2).
   *
   * @param leastOctets a smaller size that it had in between
   */
  limitTable(peerOctets: number, leastOctets: number = peerOctets): void {
    const octets = Math.min(peerOctets, this.#limitOctets)
    const least = Math.min(leastOctets, octets)
    if (octets === this.#maxOctets && least === octets) return
    this.#maxOctets = octets
    this.#leastOctets = Math.min(this.#leastOctets, least)
    this.#owesSizeUpdate = true
    this.generation++
    this.#evict(this.#leastOctets)
  }

  /** Start a block. Blocks are sent in the order in which they are begun, each whole. */
  begin(): void {
    this.length = 0
    if (!this.#owesSizeUpdate) return
    // RFC 7541 §4.2: the smallest size is told as well, as it made the peer drop entries.
    if (this.#leastOctets < this.#maxOctets) this.#writeInteger(0x20, 0x1f, this.#leastOctets)
    this.#writeInteger(0x20, 0x1f, this.#maxOctets)
    this.#leastOctets = this.#maxOctets
    this.#owesSizeUpdate = false
    // A block with a size update is not one that may be sent again.
    this.generation++
  }

  /**
   * Add a field to the block.
   *
   * @param name lower case
   * @param value Latin-1
   * @param indexing of the literal, where no entry has name and value already; 'never' uses none (RFC 7541 §7.1.3)
   */
  add(name: string, value: string, indexing: Indexing): void {
    this.#reserve(4 * (name.length + value.length) + 16)
    const known = STATIC_NAMES.get(name)
    const newest = this.#newest.get(name)
    if (indexing !== 'never') {
      const index = staticIndex(known, value) || this.#dynamicIndex(newest, value)
      if (index !== 0) {
        this.#writeInteger(0x80, 0x7f, index)
        return
      }
    }
    const nameIndex = known?.index ?? (newest === undefined ? 0 : this.#indexOf(newest))
    const sizeOctets = name.length + value.length + FIELD_OVERHEAD
    // What would push most others out of the table is not worth its place.
    const isInserted = indexing === 'incremental' && sizeOctets <= this.#maxOctets / 2
    if (isInserted) this.#writeInteger(0x40, 0x3f, nameIndex)
    else this.#writeInteger(indexing === 'never' ? 0x10 : 0, 0x0f, nameIndex)
    if (nameIndex === 0) this.#writeString(name)
    this.#writeString(value)
    if (isInserted) this.#insert(name, value, sizeOctets)
  }

  #dynamicIndex(newest: Entry | undefined, value: string): number {
    let entry = newest
    for (let tries = 0; entry !== undefined && tries < LIMIT_TRIES; tries++) {
      if (entry.value === value) return this.#indexOf(entry)
      entry = entry.older
    }
    return 0
  }

  /** RFC 7541 §2.3.3 */
  #indexOf(entry: Entry): number {
    return STATIC_TABLE.length + this.#inserted - entry.number
  }

  #insert(name: string, value: string, sizeOctets: number): void {
    this.generation++
    this.#evict(this.#maxOctets - sizeOctets)
    const older = this.#newest.get(name)
    const entry: Entry = {
      name: detach(name),
      value: detach(value),
      sizeOctets,
      number: this.#inserted++,
      older,
      newer: undefined,
    }
    if (older !== undefined) older.newer = entry
    this.#newest.set(entry.name, entry)
    this.#entries.push(entry)
    this.#tableOctets += sizeOctets
  }

  /** Drop the oldest entries until the others fit (RFC 7541 §4.3). */
  #evict(limitOctets: number): void {
    while (this.#entries.length > 0 && this.#tableOctets > limitOctets) {
      const entry = this.#entries.shift()!
      this.#tableOctets -= entry.sizeOctets
      if (entry.newer === undefined) this.#newest.delete(entry.name)
      else entry.newer.older = undefined
    }
  }

  /** RFC 7541 §5.1 */
  #writeInteger(pattern: number, prefix: number, value: number): void {
    const { block } = this
    if (value < prefix) {
      block[this.length++] = pattern | value
      return
    }
    block[this.length++] = pattern | prefix
    let rest = value - prefix
    for (; rest >= 0x80; rest >>>= 7) block[this.length++] = 0x80 | (rest & 0x7f)
    block[this.length++] = rest
  }

  /** RFC 7541 §5.2: Huffman-coded where that is shorter. */
  #writeString(text: string): void {
    const { block, length } = this
    if (text.length <= 0x7f) {
      // The length fits into one octet if coding helps at all: coding at once is quicker than measuring before.
      const end = encodeHuffman(text, block, length + 1)
      const coded = end - length - 1
      if (coded < text.length) {
        block[length] = 0x80 | coded
        this.length = end
        return
      }
    } else {
      const coded = huffmanLength(text)
      if (coded < text.length) {
        this.#writeInteger(0x80, 0x7f, coded)
        this.length = encodeHuffman(text, block, this.length)
        return
      }
    }
    this.#writeInteger(0, 0x7f, text.length)
    this.length += block.write(text, this.length, 'latin1')
  }

  #reserve(octets: number): void {
    if (this.length + octets <= this.block.length) return
    const roomier = Buffer.allocUnsafe(2 * (this.length + octets))
    this.block.copy(roomier, 0, 0, this.length)
    this.block = roomier
  }
}

/** An entry of the dynamic table, between the others of its name. */
type Entry = {
  readonly name: string
  readonly value: string
  readonly sizeOctets: number
  readonly number: number
  older: Entry | undefined
  newer: Entry | undefined
}

/** RFC 9113 §6.5.2: the size that counts before the peer's SETTINGS. */
const INITIAL_TABLE_OCTETS = 4096
/** entries of one name that are looked at: dates fill the table with values that are not sent again */
const LIMIT_TRIES = 8

/** A name of the static table: its first entry, and those of its values that are not empty. */
type StaticName = { readonly index: number; readonly values: Map<string, number> | undefined }

const STATIC_NAMES: ReadonlyMap<string, StaticName> = groupStaticNames()

function groupStaticNames(): Map<string, StaticName> {
  const names = new Map<string, StaticName>()
  for (const [at, [name, value]] of STATIC_TABLE.entries()) {
    const { index, values } = names.get(name) ?? { index: at + 1, values: undefined }
    names.set(name, { index, values: value === '' ? values : (values ?? new Map()).set(value, at + 1) })
  }
  return names
}

/** A copy: what was cut out of a head would hold on to all of it. */
function detach(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

function staticIndex(known: StaticName | undefined, value: string): number {
  if (known === undefined) return 0
  if (known.values !== undefined) return known.values.get(value) ?? 0
  return value === '' ? known.index : 0
}
