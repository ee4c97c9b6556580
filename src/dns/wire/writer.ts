import { compressibleNames } from './rdata.ts'

/** RFC 1035 §4.1.2; the name uncompressed. */
export type Question = { readonly name: Uint8Array; readonly type: number; readonly class: number }

/** RFC 1035 §4.1.3; owner and names in the rdata uncompressed. */
export type ResourceRecord = {
  readonly owner: Uint8Array
  readonly type: number
  readonly class: number
  /** seconds */
  readonly ttl: number
  readonly rdata: Uint8Array
}

/** What a pointer can reach: 14 bits (RFC 1035 §4.1.4). */
const POINTER_REACH = 0x4000
/** Names and their parents that one message remembers; the ones after are written whole. */
const REMEMBERED_LIMIT = 256

/**
 * Writes a message into memory of the caller's, compressing names (RFC 1035 §4.1.4).
 *
 * Nothing is allocated while writing. A name becomes a pointer only where its octets are equal, so its case is kept
 * (RFC 4343 §4.1).
 */
export class MessageWriter {
  readonly octets: Buffer
  /** octets that may be written; raise or lower it between records */
  limit: number
  /** where the next octet goes */
  at = 0
  #full = false
  readonly #remembered: Uint16Array = new Uint16Array(REMEMBERED_LIMIT)
  #count = 0

  constructor(octets: Buffer) {
    this.octets = octets
    this.limit = octets.length
  }

  /** Start a new message at octet 0. */
  reset(limit: number = this.octets.length): void {
    this.at = 0
    this.limit = limit
    this.#full = false
    this.#count = 0
  }

  /** Write the question; false when it does not fit, and then nothing is written. */
  question({ name, type, class: qclass }: Question): boolean {
    const at = this.at
    const count = this.#count
    this.#name(name)
    this.u16(type)
    this.u16(qclass)
    return this.#keep(at, count)
  }

  /** Write a record with rdata of its type; false when it does not fit, and then nothing is written. */
  record({ owner, type, class: rclass, ttl, rdata }: ResourceRecord): boolean {
    const at = this.at
    const count = this.#count
    this.#name(owner)
    this.u16(type)
    this.u16(rclass)
    this.u32(ttl)
    const lengthAt = this.at
    this.u16(0)
    this.#rdata(type, rdata)
    if (!this.#keep(at, count)) return false
    this.octets.writeUInt16BE(this.at - lengthAt - 2, lengthAt)
    return true
  }

  u16(value: number): void {
    if (this.#hasRoom(2)) this.at = this.octets.writeUInt16BE(value, this.at)
  }

  u32(value: number): void {
    if (this.#hasRoom(4)) this.at = this.octets.writeUInt32BE(value, this.at)
  }

  #rdata(type: number, rdata: Uint8Array): void {
    const names = rdata.length === 0 ? undefined : compressibleNames(type)
    let at = names?.skip ?? 0
    this.#copy(rdata, 0, at)
    for (let i = 0; i < (names?.count ?? 0); i++) at = this.#name(rdata, at)
    this.#copy(rdata, at, rdata.length)
  }

  /** Write the name that begins at `from`; returns the offset after it in `source`. */
  #name(source: Uint8Array, from = 0): number {
    let at = from
    let known = -1
    // What is still being written is not found: a pointer must not lead into its own name.
    let count = this.#count
    while (source[at] !== 0 && (known = this.#find(source, at)) === -1) {
      if (this.at < POINTER_REACH && count < REMEMBERED_LIMIT) this.#remembered[count++] = this.at
      this.#copy(source, at, (at += source[at]! + 1))
    }
    if (!this.#full) this.#count = count
    if (source[at] === 0) {
      this.#copy(source, at, at + 1)
      return at + 1
    }
    this.u16(0xc000 | known)
    while (source[at] !== 0) at += source[at]! + 1
    return at + 1
  }

  /** The offset in the message of a name equal to the one at `at`, or -1. */
  #find(source: Uint8Array, at: number): number {
    for (let i = 0; i < this.#count; i++)
      if (this.#isEqual(this.#remembered[i]!, source, at)) return this.#remembered[i]!
    return -1
  }

  #isEqual(offset: number, source: Uint8Array, at: number): boolean {
    while (true) {
      const length = this.octets[offset]!
      if (length >= 0xc0) {
        offset = ((length & 0x3f) << 8) | this.octets[offset + 1]!
        continue
      }
      for (let i = 0; i <= length; i++) if (this.octets[offset + i] !== source[at + i]) return false
      if (length === 0) return true
      offset += length + 1
      at += length + 1
    }
  }

  #copy(source: Uint8Array, from: number, to: number): void {
    if (!this.#hasRoom(to - from)) return
    for (let i = from; i < to; i++) this.octets[this.at++] = source[i]!
  }

  #hasRoom(size: number): boolean {
    if (this.at + size > this.limit) this.#full = true
    return !this.#full
  }

  /** Undo what did not fit whole. */
  #keep(at: number, count: number): boolean {
    if (!this.#full) return true
    this.#full = false
    this.at = at
    this.#count = count
    return false
  }
}
