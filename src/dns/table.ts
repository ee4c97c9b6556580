/**
 * A hash table from names to values that is searched with bytes as they stand in a message.
 *
 * A `Map` would want a string for every name that is tried; here nothing is allocated to find one.
 * Open addressing with linear probing, at most half full. Only the owner of a zone puts names in, so nobody
 * can choose names that collide.
 */
export class NameTable<Value> {
  #values: Value[] = []
  /** the names, one after the other */
  #names: Uint8Array
  /** where in `#names` the name of value n begins; one more than there are values */
  #starts: Uint32Array
  /** 0, or the number of a value + 1 */
  #slots: Uint32Array

  /** @param expected how many names there will be, roughly */
  constructor(expected: number) {
    const size = Math.max(4, expected)
    this.#names = new Uint8Array(size * 24)
    this.#starts = new Uint32Array(size + 1)
    this.#slots = new Uint32Array(slotCount(size))
  }

  /** The values in the order in which they were added. */
  get values(): readonly Value[] {
    return this.#values
  }

  /** Find the value of the name in `bytes` from `start` to `end`: wire form (RFC 1035 §3.1), lower case. */
  find(bytes: Uint8Array, start: number, end: number): Value | undefined {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let slot = hash(bytes, start, end) & mask; ; slot = (slot + 1) & mask) {
      const number = slots[slot]!
      if (number === 0) return undefined
      if (this.#isName(number - 1, bytes, start, end)) return this.#values[number - 1]
    }
  }

  /** Add a name that is not there yet; the bytes are copied. */
  add(bytes: Uint8Array, start: number, end: number, value: Value): void {
    const number = this.#values.push(value)
    const offset = this.#starts[number - 1]!
    const stop = offset + end - start
    if (number + 1 > this.#starts.length) this.#starts = grown(this.#starts, new Uint32Array(number * 2))
    if (stop > this.#names.length) this.#names = grown(this.#names, new Uint8Array(stop * 2))
    for (let i = start; i < end; i++) this.#names[offset + i - start] = bytes[i]!
    this.#starts[number] = stop
    if (number * 2 > this.#slots.length) this.#rehash()
    else this.#place(number)
  }

  #isName(number: number, bytes: Uint8Array, start: number, end: number): boolean {
    const names = this.#names
    let offset = this.#starts[number]!
    if (this.#starts[number + 1]! - offset !== end - start) return false
    for (let i = start; i < end; i++, offset++) if (names[offset] !== bytes[i]) return false
    return true
  }

  #rehash(): void {
    this.#slots = new Uint32Array(slotCount(this.#values.length))
    for (let number = 1; number <= this.#values.length; number++) this.#place(number)
  }

  #place(number: number): void {
    const mask = this.#slots.length - 1
    let slot = hash(this.#names, this.#starts[number - 1]!, this.#starts[number]!) & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = number
  }
}

/** A power of two that leaves at least half of the slots empty, also when the table doubles once more. */
function slotCount(names: number): number {
  return 2 ** Math.ceil(Math.log2(names * 2 + 2))
}

/** FNV-1a, with its high bits folded in because the tables look at the low ones only. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0x811c9dc5
  for (let i = start; i < end; i++) sum = Math.imul(sum ^ bytes[i]!, 0x01000193)
  return sum ^ (sum >>> 15)
}

function grown<Array extends Uint8Array | Uint32Array>(from: Array, into: Array): Array {
  into.set(from)
  return into
}
