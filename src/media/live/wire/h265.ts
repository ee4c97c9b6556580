import { boxesIn } from '#media/wire/bmff.ts'
import { box, u16, u32, zeros } from '#media/wire/bmff-write.ts'
import { hevcCodec } from '#media/wire/codec-video.ts'
import { Bits, withoutEmulation } from './nal-units.ts'

/** What a sequence parameter set says (ITU-T H.265 §7.3.2.2.1). */
export type HevcSps = {
  /** general profile, tier, compatibility, constraints and level, as hvcC has them */
  readonly profile: Buffer
  readonly layers: number
  readonly isNested: number
  readonly chroma: number
  readonly lumaBits: number
  readonly chromaBits: number
  readonly width: number
  readonly height: number
}

const LIMIT_OCTETS = 1024
const PROFILE_OCTETS = 12

/** Read a sequence parameter set. @returns null when it cannot be one */
export function readHevcSps(unit: Buffer): HevcSps | null {
  if (unit.length < PROFILE_OCTETS + 4 || unit.length > LIMIT_OCTETS) return null
  const octets = withoutEmulation(unit.subarray(2))
  const bits = new Bits(octets)
  bits.take(4)
  const sublayers = bits.take(3)
  const isNested = bits.take(1)
  const profile = octets.subarray(1, 1 + PROFILE_OCTETS)
  for (let i = 0; i < PROFILE_OCTETS; i++) bits.take(8)
  skipSublayers(bits, sublayers)
  bits.golomb()
  const chroma = bits.golomb()
  if (chroma === 3) bits.take(1)
  const [columns, rows] = [bits.golomb(), bits.golomb()]
  const crop = bits.take(1) === 1 ? [0, 1, 2, 3].map(() => bits.golomb()) : [0, 0, 0, 0]
  const [lumaBits, chromaBits] = [8 + bits.golomb(), 8 + bits.golomb()]
  const [unitX, unitY] = [chroma === 1 || chroma === 2 ? 2 : 1, chroma === 1 ? 2 : 1]
  const width = columns - (crop[0]! + crop[1]!) * unitX
  const height = rows - (crop[2]! + crop[3]!) * unitY
  if (bits.isOver || chroma > 3 || lumaBits > 16 || chromaBits > 16) return null
  if (width < 1 || height < 1 || width > 0xffff || height > 0xffff) return null
  return { profile, layers: sublayers + 1, isNested, chroma, lumaBits, chromaBits, width, height }
}

/** ITU-T H.265 §7.3.3: profile and level of each sub-layer, where they are there. */
function skipSublayers(bits: Bits, count: number): void {
  const present = Array.from({ length: count }, () => [bits.take(1), bits.take(1)] as const)
  if (count > 0) for (let i = count; i < 8; i++) bits.take(2)
  for (const [hasProfile, hasLevel] of present) {
    for (let i = 0; i < hasProfile * 11 + hasLevel; i++) bits.take(8)
  }
}

/** Types of NAL units (ITU-T H.265 §7.4.2.2). */
export const HEVC_SETS: readonly number[] = [32, 33, 34]

/** Sample entry of a stream with these parameter sets: video, sequence and picture (ISO 14496-15 §8.4.1). */
export function hevcEntry(sps: HevcSps, sets: readonly Uint8Array[]): { codec: string; entry: Uint8Array } {
  const { profile, layers, isNested, chroma, lumaBits, chromaBits, width, height } = sps
  const config = box(
    'hvcC',
    Uint8Array.of(1),
    profile,
    u16(0xf000),
    Uint8Array.of(0xfc, 0xfc | chroma, 0xf8 | (lumaBits - 8), 0xf8 | (chromaBits - 8)),
    u16(0),
    // Lengths of four octets; all parameter sets stand here.
    Uint8Array.of((layers << 3) | (isNested << 2) | 3, sets.length),
    ...sets.flatMap((set, i) => [Uint8Array.of(0x80 | HEVC_SETS[i]!), u16(1, set.length), set]),
  )
  const picture = [u16(width, height), u32(0x480000, 0x480000, 0), u16(1), zeros(32), u16(24, 0xffff)]
  const entry = box('hvc1', zeros(6), u16(1), zeros(16), ...picture, config)
  return { codec: hevcCodec('hvc1', boxesIn(config, 0)[0]!), entry }
}
