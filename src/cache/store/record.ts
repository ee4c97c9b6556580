import { unitsFor } from './arena.ts'
import { BLOCK_UNITS } from './shared.ts'

/** Key, meta and tags as they stand in memory and on disk, one after the other. */
export type EncodedRecord = {
  readonly octets: Buffer
  readonly keyOctets: number
  readonly metaOctets: number
}

/** Key, meta and tags in one; null when they are too long for half a block. */
export function encodeRecord(key: string, meta: string, tags: readonly string[]): EncodedRecord | null {
  const keyOctets = Buffer.byteLength(key)
  const metaOctets = Buffer.byteLength(meta)
  const octets = Buffer.from(key + meta + (tags.length === 0 ? '' : JSON.stringify(tags)))
  return unitsFor(octets.length) > BLOCK_UNITS / 2 ? null : { octets, keyOctets, metaOctets }
}
