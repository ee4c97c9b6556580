import type { EndReason, Source } from '../exchange.ts'
import type { Byteranges } from './byteranges.ts'
import type { OctetRange } from './range.ts'

/** The content of a multipart/byteranges response: each part is opened when its turn comes. */
export class ByterangesSource implements Source {
  readonly #layout: Byteranges
  readonly #open: (range: OctetRange) => Source
  #next = 0
  #part: Source | undefined
  #isDone = false

  /** @param open gives the octets of a range; called once for each, in order */
  constructor(layout: Byteranges, open: (range: OctetRange) => Source) {
    this.#layout = layout
    this.#open = open
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#isDone) return null
    if (this.#part === undefined) return this.#begin()
    const octets = this.#part.read(limitOctets)
    if (octets instanceof Promise) return octets.then((arrived) => arrived ?? this.#endPart())
    return octets ?? this.#endPart()
  }

  cancel(reason: EndReason): void {
    this.#isDone = true
    this.#part?.cancel(reason)
  }

  #begin(): Uint8Array {
    const part = this.#layout.parts[this.#next]
    this.#next++
    if (part === undefined) {
      this.#isDone = true
      return Buffer.from(this.#layout.tail, 'latin1')
    }
    this.#part = this.#open(part.range)
    return Buffer.from(part.head, 'latin1')
  }

  #endPart(): Uint8Array | null {
    this.#part = undefined
    return this.#isDone ? null : this.#begin()
  }
}
