import { crc32 } from 'node:zlib'

/*
 * A pack is a file of many small bodies, one behind the other, each behind 8 octets: the sum of its key and of all that
 * follows the sum (32 bits), and its length (32 bits), low octet first. The journal says where each of them lies.
 */

/** Octets before each body of a pack. */
export const PACKED_HEAD_OCTETS = 8
/** Bodies up to this lie in packs: what is read, and checked, at once. */
export const MOST_PACKED_OCTETS = 131_072

/** Where a body lies. */
export type Packed = {
  /** number of the pack, from 1 on */
  readonly pack: number
  /** octets of the pack before it */
  readonly offset: number
}

/**
 * A place as one number, below zero: what lies in a file of its own has the number of the file, above zero.
 *
 * @example placeOf({ pack: 1, offset: 0 }) === -268_435_456
 */
export function placeOf({ pack, offset }: Packed): number {
  return -(pack * MOST_PACK_OCTETS + offset)
}

/** What `placeOf` was made of. */
export function packedAt(place: number): Packed {
  return { pack: Math.floor(-place / MOST_PACK_OCTETS), offset: -place % MOST_PACK_OCTETS }
}

/** Whether a number is that of a place in a pack. */
export function isPacked(place: number): boolean {
  return place < 0
}

/**
 * Complete what goes to a pack.
 *
 * @param octets the body behind `PACKED_HEAD_OCTETS`, which are written
 * @param keySum `crc32` of the object's key: what was written for another is never taken for it
 */
export function seal(octets: Buffer, keySum: number): void {
  octets.writeUInt32LE(octets.length - PACKED_HEAD_OCTETS, 4)
  octets.writeUInt32LE(crc32(octets.subarray(4), keySum), 0)
}

/**
 * The body in what was read from a pack.
 *
 * @param octets from its place on, as long as head and body are
 * @returns null when that is not what was written for this key
 */
export function unseal(octets: Buffer, keySum: number): Buffer | null {
  if (octets.length < PACKED_HEAD_OCTETS) return null
  const isWhole = octets.readUInt32LE(4) === octets.length - PACKED_HEAD_OCTETS
  const isRight = isWhole && octets.readUInt32LE(0) === crc32(octets.subarray(4), keySum)
  return isRight ? octets.subarray(PACKED_HEAD_OCTETS) : null
}

/** No pack grows so long: places in different packs are different numbers. */
const MOST_PACK_OCTETS = 2 ** 28
