import { type Box, boxesIn, childOf } from './bmff.ts'

/** What playlists say of pictures that are brighter than usual (RFC 8216bis §4.4.6.2). */
export type VideoRange = {
  /** null: the usual one, SDR */
  readonly range: 'PQ' | 'HLG' | null
  /** Dolby Vision over a picture that others play too, such as `dvh1.08.07/db4h`; null without */
  readonly supplementalCodecs: string | null
}

const HEAD_OCTETS = 8 + 78
/** Transfer characteristics of ISO 23091-2. */
const RANGES: Readonly<Record<number, VideoRange['range']>> = { 16: 'PQ', 18: 'HLG' }
/** What the picture below is compatible with, and its brand: HDR10, SDR, HLG. */
const BRANDS: Readonly<Record<number, string>> = { 1: 'db1p', 2: 'db2g', 4: 'db4h' }
const DOLBY_NAMES: Readonly<Record<string, string>> = { hvc1: 'dvh1', hev1: 'dvhe', av01: 'dav1' }

/** Read the range of pictures out of their sample entry, as CMAF has it: `colr`, `dvcC` or `dvvC`. */
export function videoRangeOf(entry: Uint8Array): VideoRange {
  const parts = boxesIn(entry.subarray(HEAD_OCTETS), HEAD_OCTETS)
  const colour = childOf(parts, 'colr')?.content
  const transfer = colour === undefined || colour.length < 8 ? 0 : colour[6]! * 256 + colour[7]!
  const dolby = childOf(parts, 'dvvC') ?? childOf(parts, 'dvcC')
  const name = DOLBY_NAMES[Buffer.from(entry.subarray(4, 8)).toString('latin1')]
  return { range: RANGES[transfer] ?? null, supplementalCodecs: dolbyCodec(dolby, name) }
}

/** Profile in seven bits and level in six behind the two octets of the version; compatibility in the four after the flags. */
function dolbyCodec(config: Box | undefined, name: string | undefined): string | null {
  const octets = config?.content
  if (octets === undefined || octets.length < 5 || name === undefined) return null
  const profile = octets[2]! >> 1
  const level = ((octets[2]! & 1) << 5) | (octets[3]! >> 3)
  const brand = BRANDS[octets[4]! >> 4]
  if (brand === undefined) return null
  return `${name}.${String(profile).padStart(2, '0')}.${String(level).padStart(2, '0')}/${brand}`
}
