import type { AnswerOptions } from './edns.ts'
import { HEADER, type Query } from './query.ts'
import { RECORD_HEAD, type RRset } from './rrset.ts'
import { OPTION, TYPE } from './wire/types.ts'

/** The OPT record of a response, without options (RFC 6891 §6.1.2). */
const OPT_LENGTH = 11
const OPTION_HEAD = 4
/** RFC 8467 §4.1: lengths of answers that others see encrypted are multiples of it. */
const BLOCK_OCTETS = 468

const FLAGS = 2
const QR = 0x80
const AA = 0x04
const TC = 0x02
const OPCODE_AND_RD = 0x79

/** Where the header counts the records of the answer section (RFC 1035 §4.1.1). */
export const ANCOUNT = 6
/** Where it counts those of the authority section. */
export const NSCOUNT = 8
/** Where it counts those of the additional section. */
export const ARCOUNT = 10

/** A pointer has 14 bits for the offset (RFC 1035 §4.1.4). */
const POINTER = 0xc0
const POINTER_LIMIT = 0x4000

/**
 * A response that is being written. One object serves all: `begin`, then `add…` section by section, then `finish`.
 *
 * What is known about the name at hand tells where pointers lead: it stands at `#name` for `#nameLength` octets
 * uncompressed, or its last `#tail` octets are a pointer, and stand at `#tailAt`.
 */
export class Response {
  #out: Uint8Array = new Uint8Array(0)
  #limit = 0
  #at = 0
  #name = HEADER
  #nameLength = 0
  #tail = 0
  #tailAt = 0

  /**
   * Write the header and the question as it was asked, in its case (RFC 4343 §4.1).
   *
   * @param limit octets that the whole response may take
   * @param optionOctets how many of them are for options of EDNS
   */
  begin(out: Uint8Array, message: Uint8Array, query: Query, limit: number, optionOctets = 0): void {
    const end = query.questionEnd
    out[0] = message[0]!
    out[1] = message[1]!
    out[FLAGS] = QR | (message[FLAGS]! & OPCODE_AND_RD)
    for (let i = FLAGS + 1; i < HEADER; i++) out[i] = 0
    out[5] = end > HEADER ? 1 : 0
    for (let i = HEADER; i < end; i++) out[i] = message[i]!
    this.#out = out
    this.#limit = limit - (query.hasEdns ? OPT_LENGTH + optionOctets : 0)
    this.#at = end
    this.#name = HEADER
    this.#nameLength = query.nameLength
    this.#tail = 0
  }

  setAuthoritative(): void {
    this.#out[FLAGS]! |= AA
  }

  /** TC: a required RRset is missing (RFC 2181 §9). */
  setTruncated(): void {
    this.#out[FLAGS]! |= TC
  }

  /**
   * Add an RRset whose owner ends the name at hand.
   *
   * @param count where in the header the section's records are counted
   * @param ownerLength octets of the owner in wire form
   * @returns whether it fits; what does not fit is left out whole
   */
  add(rrset: RRset, count: number, ownerLength: number = this.#nameLength): boolean {
    const start = this.#at
    if (!this.#copy(rrset, count)) return false
    const owner = this.#suffix(ownerLength)
    if (owner !== HEADER) for (const offset of rrset.owners) this.#point(start + offset, owner)
    return true
  }

  /** Add what `findReady` found to the answer section; whether it fits. */
  addReady(octets: Uint8Array, ready: number): boolean {
    const out = this.#out
    const start = this.#at
    const length = (octets[ready + 1]! << 8) | octets[ready + 2]!
    if (start + length > this.#limit) return false
    for (let i = 0, from = ready + 3; i < length; i++) out[start + i] = octets[from + i]!
    this.#at += length
    this.#raise(ANCOUNT, octets[ready]!)
    return true
  }

  /**
   * Add an RRset whose owner is `labels` and an end of the name at hand; whether it fits.
   *
   * @param endLength octets of that end: the apex, unless given
   */
  addBeside(
    rrset: RRset,
    labels: Uint8Array,
    count: number = ARCOUNT,
    endLength: number = rrset.apexLength,
  ): boolean {
    const start = this.#at
    if (start >= POINTER_LIMIT || start + labels.length > this.#limit) return false
    this.#out.set(labels, start)
    this.#at += labels.length
    if (!this.#copy(rrset, count)) {
      this.#at = start
      return false
    }
    let owner = this.#suffix(endLength)
    for (const offset of rrset.owners) {
      this.#point(start + labels.length + offset, owner)
      owner = start
    }
    return true
  }

  /** Octets written. */
  get at(): number {
    return this.#at
  }

  /** The name at hand is now the target of an alias that was added at `start`. */
  follow(alias: RRset, start: number): void {
    if (alias.apexes.length > 0) {
      this.#tailAt = this.#suffix(alias.apexLength)
      this.#tail = alias.apexLength
    } else this.#tail = 0
    this.#name = start + RECORD_HEAD
    this.#nameLength = alias.targets[0]!.length
  }

  /**
   * Write the rcode and, for a client that has EDNS, the OPT record.
   *
   * @param rcode up to 12 bits (RFC 6891 §6.1.3)
   * @param udpPayload what we take over UDP, in octets
   * @param pads whether the length shall say little
   * @returns octets of the message
   */
  finish(rcode: number, query: Query, udpPayload: number, options?: AnswerOptions, pads = false): number {
    const out = this.#out
    out[FLAGS + 1]! |= rcode & 0x0f
    if (!query.hasEdns) return this.#at
    const DO = 0x80
    const CO = 0x40
    const start = this.#at
    // For a few octets a loop is faster than the call, here and where RRsets are copied.
    for (let i = 0; i < OPT_LENGTH; i++) out[start + i] = 0
    out[start + 2] = TYPE.OPT
    write16(out, start + 3, udpPayload)
    out[start + 5] = rcode >> 4
    out[start + 7] = (query.dnssecOk ? DO : 0) | (query.compactOk ? CO : 0)
    this.#at += OPT_LENGTH
    if (options !== undefined) for (let i = 0; i < options.length; i++) out[this.#at++] = options.octets[i]!
    if (pads && query.options.paddingAt > 0) this.#pad()
    write16(out, start + 9, this.#at - start - OPT_LENGTH)
    this.#raise(ARCOUNT, 1)
    return this.#at
  }

  /** RFC 7830 §3: zeros, as many as reach the next block. */
  #pad(): void {
    const out = this.#out
    const start = this.#at + OPTION_HEAD
    const end = Math.min(Math.ceil(start / BLOCK_OCTETS) * BLOCK_OCTETS, out.length)
    if (start > end) return
    write16(out, this.#at, OPTION.PADDING)
    write16(out, this.#at + 2, end - start)
    out.fill(0, start, end)
    this.#at = end
  }

  #copy({ wire, count, apexes, apexLength }: RRset, counter: number): boolean {
    const out = this.#out
    const start = this.#at
    if (start + wire.length > this.#limit) return false
    // Below some tens of octets a loop is faster than the call.
    if (wire.length > 64) out.set(wire, start)
    else for (let i = 0; i < wire.length; i++) out[start + i] = wire[i]!
    this.#at += wire.length
    if (apexes.length > 0) {
      const apex = this.#suffix(apexLength)
      for (const offset of apexes) this.#point(start + offset, apex)
    }
    this.#raise(counter, count)
    return true
  }

  /** Where in the message the last `length` octets of the name at hand stand. */
  #suffix(length: number): number {
    return length <= this.#tail ? this.#tailAt + this.#tail - length : this.#name + this.#nameLength - length
  }

  #point(at: number, target: number): void {
    write16(this.#out, at, (POINTER << 8) | target)
  }

  #raise(counter: number, by: number): void {
    const out = this.#out
    const sum = ((out[counter]! << 8) | out[counter + 1]!) + by
    out[counter] = sum >> 8
    out[counter + 1] = sum & 0xff
  }
}

function write16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >> 8
  out[at + 1] = value & 0xff
}
