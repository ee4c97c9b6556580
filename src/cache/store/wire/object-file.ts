import { crc32 } from 'node:zlib'

/** What stands behind the body in an object's file. */
export type Trailer = {
  /** octets of the body before it */
  readonly lengthOctets: number
  /** sum of each block of the body, 4 octets each */
  readonly sums: Buffer
  readonly keyOctets: number
  readonly metaOctets: number
  /** key, meta and tags */
  readonly record: Buffer
}

/** The body is summed in blocks of 128 KiB, so that a part of it can be read and checked. */
export const SUMMED_OCTETS = 131_072

/** The sums of a body as its octets come. */
export class Sums {
  readonly #blocks: number[] = []
  #octets = 0

  add(octets: Uint8Array): void {
    for (let at = 0; at < octets.length; ) {
      const block = Math.floor(this.#octets / SUMMED_OCTETS)
      const part = octets.subarray(at, at + SUMMED_OCTETS - (this.#octets % SUMMED_OCTETS))
      this.#blocks[block] = crc32(part, this.#blocks[block] ?? 0)
      this.#octets += part.length
      at += part.length
    }
  }

  encode(): Buffer {
    const octets = Buffer.alloc(this.#blocks.length * 4)
    for (const [block, sum] of this.#blocks.entries()) octets.writeUInt32LE(sum, block * 4)
    return octets
  }
}

/** Octets of the trailer of such an object. */
export function trailerOctets(recordOctets: number, lengthOctets: number): number {
  return Math.ceil(lengthOctets / SUMMED_OCTETS) * 4 + recordOctets + END_OCTETS
}

/** What completes a file: without it at its very end, a file was never complete. */
export function encodeTrailer({ lengthOctets, sums, keyOctets, metaOctets, record }: Trailer): Buffer {
  const end = Buffer.alloc(END_OCTETS)
  end.writeDoubleLE(lengthOctets, 0)
  end.writeUInt32LE(record.length, 8)
  end.writeUInt32LE(keyOctets, 12)
  end.writeUInt32LE(metaOctets, 16)
  end.write(MARK, 24, 'latin1')
  const octets = Buffer.concat([sums, record, end])
  octets.writeUInt32LE(crc32(octets), octets.length - END_OCTETS + 20)
  return octets
}

/**
 * Read what stands behind the body.
 *
 * @param octets from the end of the body to the end of the file; its sum is zeroed
 * @returns null when the file was never complete, or is not what was written
 */
export function decodeTrailer(octets: Buffer): Trailer | null {
  const end = octets.length - END_OCTETS
  if (end < 0 || octets.toString('latin1', end + 24) !== MARK) return null
  const sum = octets.readUInt32LE(end + 20)
  octets.writeUInt32LE(0, end + 20)
  if (crc32(octets) !== sum) return null
  const lengthOctets = octets.readDoubleLE(end)
  const recordAt = Math.ceil(lengthOctets / SUMMED_OCTETS) * 4
  if (recordAt + octets.readUInt32LE(end + 8) !== end) return null
  return {
    lengthOctets,
    sums: octets.subarray(0, recordAt),
    keyOctets: octets.readUInt32LE(end + 12),
    metaOctets: octets.readUInt32LE(end + 16),
    record: octets.subarray(recordAt, end),
  }
}

const MARK = 'PORTICO1'
const END_OCTETS = 32
