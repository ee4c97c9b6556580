import { allocateLarge } from '#core/large-memory.ts'

/** Octets of an entry before the name: number of the value (4), length of the name (1). */
const HEAD = 5

/** A table as octets that all threads read; its values are made where they are asked for. */
export type TableImage = {
  /** names */
  readonly count: number
  readonly octets: Uint8Array
  readonly slots: Uint32Array
}

/** Makes the values of an image. */
export type TableMaker<Value> = {
  /** @param at place of the entry */
  make(at: number): Value
  /** Join a value with others, which may lead back to it. */
  link(value: Value, at: number): void
}

/** What the hash of an empty run of octets is, for `extendHash` to begin with. */
export const HASH_START: number = 0x811c9dc5 | 0

/**
 * A hash table from names to values that is searched with bytes as they stand in a message.
 *
 * A `Map` would want a string for every name that is tried; here nothing is allocated to find one.
 * Open addressing with linear probing, at most half full. Only the owner of a zone puts names in, so nobody
 * can choose names that collide.
 *
 * Of a million names hardly one is in the processor's caches: a slot has the hash beside the place, so that one access
 * to memory finds the slot, and one more the name with all that `annotate` has put behind it.
 */
export class NameTable<Value> {
  #values: Value[] = []
  #maker: TableMaker<Value> | undefined
  /** entries one after the other: number of the value, length of the name, the name, its note; the first octet is none's */
  #octets: Uint8Array
  #end = 1
  /** pairs: the hash of a name, and where its entry stands; 0 where there is none */
  #slots: Uint32Array

  /** @param expected how many names there will be, roughly */
  constructor(expected: number) {
    const size = Math.max(4, expected)
    this.#octets = new Uint8Array(size * 28)
    this.#slots = createSlots(size)
  }

  /** Open what another thread has drawn. Nothing can be added to it. */
  static open<Value>({ count, octets, slots }: TableImage, maker: TableMaker<Value>): NameTable<Value> {
    const table = new NameTable<Value>(0)
    table.#octets = octets
    table.#slots = slots
    table.#values = new Array(count)
    table.#maker = maker
    return table
  }

  /** The values in the order in which they were added. */
  get values(): readonly Value[] {
    if (this.#maker !== undefined) for (const at of this.places()) this.valueAt(at)
    return this.#values
  }

  /** What entries are made of, and `noteAt` leads into. */
  get octets(): Uint8Array {
    return this.#octets
  }

  /** Find the value of the name in `bytes` from `start` to `end`: wire form (RFC 1035 §3.1), lower case. */
  find(bytes: Uint8Array, start: number, end: number): Value | undefined {
    const at = this.seek(bytes, start, end, extendHash(HASH_START, bytes, start, end))
    return at === 0 ? undefined : this.valueAt(at)
  }

  /**
   * Find the entry of a name whose hash is known; 0 when there is none.
   *
   * @param sum what `extendHash` made of the name
   */
  seek(bytes: Uint8Array, start: number, end: number, sum: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    const hash = finish(sum)
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const at = slots[slot + 1]!
      if (at === 0) return 0
      if (slots[slot] === hash && this.#isName(at, bytes, start, end)) return at
    }
  }

  /** The value of an entry. */
  valueAt(at: number): Value {
    const number = read32(this.#octets, at)
    return this.#values[number] ?? this.#make(number, at)
  }

  #make(number: number, at: number): Value {
    const value = this.#maker!.make(at)
    // Whoever made it may have come here on the way.
    if (this.#values[number] !== undefined) return this.#values[number]
    this.#values[number] = value
    this.#maker!.link(value, at)
    return value
  }

  /** Where the entries stand, in no order. */
  *places(): Generator<number> {
    for (let slot = 1; slot < this.#slots.length; slot += 2)
      if (this.#slots[slot]! > 0) yield this.#slots[slot]!
  }

  /** The name of an entry, a view. */
  nameAt(at: number): Uint8Array {
    return this.#octets.subarray(at + HEAD, this.noteAt(at))
  }

  /** Put a note behind the name that was added last. */
  append(note: Uint8Array, length: number): void {
    const stop = this.#end + length
    if (stop > this.#octets.length) this.#octets = grown(this.#octets, stop * 2)
    for (let i = 0; i < length; i++) this.#octets[this.#end + i] = note[i]!
    this.#end = stop
  }

  /** Draw what was added, for other threads. @param allocate gives shared memory, at places of 4 octets */
  draw(allocate: (octets: number) => Uint8Array): TableImage {
    const octets = allocate(this.#end)
    octets.set(this.#octets.subarray(0, this.#end))
    const { buffer, byteOffset } = allocate(this.#slots.byteLength)
    const slots = new Uint32Array(buffer, byteOffset, this.#slots.length)
    slots.set(this.#slots)
    return { count: this.#values.length, octets, slots }
  }

  /** Where in `octets` the note of an entry begins. */
  noteAt(at: number): number {
    return at + HEAD + this.#octets[at + HEAD - 1]!
  }

  /** Add a name that is not there yet; the bytes are copied. Not after `annotate`. */
  add(bytes: Uint8Array, start: number, end: number, value: Value): void {
    const at = this.#end
    const stop = at + HEAD + end - start
    if (stop > this.#octets.length) this.#octets = grown(this.#octets, stop * 2)
    const number = this.#values.push(value) - 1
    write32(this.#octets, at, number)
    this.#octets[at + HEAD - 1] = end - start
    for (let i = start; i < end; i++) this.#octets[at + HEAD + i - start] = bytes[i]!
    this.#end = stop
    if (number * 4 >= this.#slots.length) this.#rehash()
    place(this.#slots, finish(extendHash(HASH_START, bytes, start, end)), at)
  }

  /**
   * Put a note behind each name, where it costs no further access to memory. Ends the adding.
   *
   * @param sizeOf octets of the note of a value
   * @param write writes it where zeros are, and returns its end
   */
  annotate(
    sizeOf: (value: Value) => number,
    write: (value: Value, into: Uint8Array, at: number) => number,
  ): void {
    const from = this.#octets
    const into = allocateLarge(this.#values.reduce((sum, value) => sum + sizeOf(value), this.#end))
    const places = new Uint32Array(this.#values.length)
    let at = 1
    let end = 1
    for (const [number, value] of this.#values.entries()) {
      places[number] = end
      for (const stop = at + HEAD + from[at + HEAD - 1]!; at < stop; at++) into[end++] = from[at]!
      end = write(value, into, end)
    }
    const slots = this.#slots
    for (let slot = 1; slot < slots.length; slot += 2)
      if (slots[slot]! > 0) slots[slot] = places[read32(from, slots[slot]!)]!
    this.#octets = into
    this.#end = end
  }

  #isName(at: number, bytes: Uint8Array, start: number, end: number): boolean {
    const octets = this.#octets
    if (octets[at + HEAD - 1] !== end - start) return false
    for (let i = start, name = at + HEAD; i < end; i++, name++) if (octets[name] !== bytes[i]) return false
    return true
  }

  #rehash(): void {
    const slots = createSlots(this.#values.length)
    for (let slot = 0; slot < this.#slots.length; slot += 2)
      if (this.#slots[slot + 1]! > 0) place(slots, this.#slots[slot]!, this.#slots[slot + 1]!)
    this.#slots = slots
  }
}

/**
 * Hash octets from the last to the first (FNV-1a), so that one walk has the hashes of a name and of its ancestors.
 *
 * @param sum the hash of what follows behind `end`, or `HASH_START`
 */
export function extendHash(sum: number, bytes: Uint8Array, start: number, end: number): number {
  let hash = sum
  for (let i = end - 1; i >= start; i--) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash
}

/** The high bits folded in, because tables look at the low ones only. */
function finish(sum: number): number {
  return (sum ^ (sum >>> 15)) >>> 0
}

/** A power of two that leaves at least half of the slots empty, also when the table doubles once more. */
function createSlots(names: number): Uint32Array {
  const octets = 8 * 2 ** Math.ceil(Math.log2(names * 2 + 2))
  return new Uint32Array(allocateLarge(octets).buffer)
}

function place(slots: Uint32Array, hash: number, at: number): void {
  const mask = slots.length - 1
  let slot = (hash << 1) & mask
  while (slots[slot + 1] !== 0) slot = (slot + 2) & mask
  slots[slot] = hash
  slots[slot + 1] = at
}

function grown(from: Uint8Array, octets: number): Uint8Array {
  const into = new Uint8Array(octets)
  into.set(from)
  return into
}

function read32(octets: Uint8Array, at: number): number {
  return (octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)) >>> 0
}

function write32(octets: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) octets[at + i] = value >>> (8 * i)
}
