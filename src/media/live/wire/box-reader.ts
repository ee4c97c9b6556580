import { boxHeader, printable } from '#media/wire/bmff.ts'
import { MediaFault } from '#media/wire/fault.ts'

/** A top-level box with its place in the stream: `at` is where its header begins. */
export type StreamBox = {
  readonly type: string
  readonly at: number
  readonly content: Uint8Array
  readonly contentAt: number
}

const HEADER_OCTETS = 16

/** Takes boxes out of octets that come in pieces of any size (ISO 14496-12 §4.2). */
export class BoxReader {
  readonly #wanted: ReadonlySet<string>
  readonly #limitOctets: number
  readonly #header = Buffer.alloc(HEADER_OCTETS)
  #headerFill = 0
  /** where the next octet lies in the stream */
  #at = 0
  #box: { readonly type: string; readonly at: number; readonly content: Buffer; fill: number } | null = null
  #skipOctets = 0

  /** @param wanted types; others are read over @param limitOctets content of one that is wanted */
  constructor(wanted: readonly string[], limitOctets: number) {
    this.#wanted = new Set(wanted)
    this.#limitOctets = limitOctets
  }

  /**
   * Take octets, which are copied.
   *
   * @returns the boxes that are complete with them
   * @throws {MediaFault} when they are no boxes, or one is too large
   */
  take(octets: Uint8Array): StreamBox[] {
    const boxes: StreamBox[] = []
    let from = 0
    while (from < octets.length) {
      if (this.#skipOctets > 0) from += this.#skip(octets.length - from)
      else if (this.#box === null) from += this.#readHeader(octets, from)
      else from += this.#fill(octets, from)
      const box = this.#box
      if (box === null || box.fill < box.content.length) continue
      const { type, at, content } = box
      boxes.push({ type, at, content, contentAt: this.#at - content.length })
      this.#box = null
    }
    return boxes
  }

  #skip(left: number): number {
    const count = Math.min(left, this.#skipOctets)
    this.#skipOctets -= count
    this.#at += count
    return count
  }

  #fill(octets: Uint8Array, from: number): number {
    const box = this.#box!
    const count = Math.min(octets.length - from, box.content.length - box.fill)
    box.content.set(octets.subarray(from, from + count), box.fill)
    box.fill += count
    this.#at += count
    return count
  }

  /** A header has 8 octets, or 16 when it says so. */
  #readHeader(octets: Uint8Array, from: number): number {
    const isLong = this.#headerFill >= 8 && this.#header.readUInt32BE(0) === 1
    const wanted = isLong ? HEADER_OCTETS : 8
    const count = Math.min(wanted - this.#headerFill, octets.length - from)
    this.#header.set(octets.subarray(from, from + count), this.#headerFill)
    this.#headerFill += count
    this.#at += count
    if (this.#headerFill >= 8 && (this.#headerFill === HEADER_OCTETS || this.#header.readUInt32BE(0) !== 1))
      this.#begin()
    return count
  }

  #begin(): void {
    const { type, headerOctets, octets } = boxHeader(this.#header.subarray(0, this.#headerFill), 0)!
    this.#headerFill = 0
    const length = octets - headerOctets
    // A box without end cannot be followed by another one.
    if (length < 0)
      throw new MediaFault(`Box ${printable(type)} says it has ${octets} octets; a stream needs its size`)
    if (!/^[ -~©]{4}$/.test(type)) throw new MediaFault(`"${printable(type)}" is no type of a box`)
    if (!this.#wanted.has(type)) {
      this.#skipOctets = length
      return
    }
    if (length > this.#limitOctets) {
      throw new MediaFault(`Box ${type} has ${length} octets; ${this.#limitOctets} are the limit ("buffer")`)
    }
    this.#box = { type, at: this.#at - headerOctets, content: Buffer.allocUnsafeSlow(length), fill: 0 }
  }
}
