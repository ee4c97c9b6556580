/**
 * What octets or a text cannot be. Thrown and caught inside `dns/wire` only: its exported functions return the
 * message instead.
 */
export class Fault extends Error {}

/** Run a reading function; its value, or the text of the Fault that ended it. */
export function attempt<Value>(read: () => Value): Value | string {
  try {
    return read()
  } catch (error) {
    if (error instanceof Fault) return error.message
    throw error
  }
}

/** As `attempt`, with undefined instead of the text. */
export function unlessFault<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Fault) return undefined
    throw error
  }
}

/** Reads big-endian fields between two offsets, never past the end. */
export class OctetReader {
  readonly octets: Uint8Array
  readonly end: number
  /** names in it may have pointers */
  readonly compressed: boolean
  at: number

  constructor(octets: Uint8Array, at = 0, end: number = octets.length, compressed = false) {
    this.octets = octets
    this.at = at
    this.end = end
    this.compressed = compressed
  }

  get left(): number {
    return this.end - this.at
  }

  /** A view of the next octets. */
  take(length: number): Uint8Array {
    if (length > this.left) {
      throw new Fault(`Octet ${this.at} begins a field of ${length} octets, but ${this.left} are left`)
    }
    return this.octets.subarray(this.at, (this.at += length))
  }

  u8(): number {
    return this.take(1)[0]!
  }

  u16(): number {
    return this.u8() * 0x100 + this.u8()
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }

  rest(): Uint8Array {
    return this.take(this.left)
  }

  /** An octet with the length, then so many octets. */
  counted(): Uint8Array {
    return this.take(this.u8())
  }
}

/** An unsigned integer of `size` octets, big-endian. */
export function encodeInteger(value: number, size: number): Uint8Array {
  const octets = Buffer.allocUnsafe(size)
  octets.writeUIntBE(value, 0, size)
  return octets
}

/** A view as Buffer, for its conversions to text. */
export function asBuffer(octets: Uint8Array): Buffer {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength)
}
