import { box, u16, u32, zeros } from '#media/wire/bmff-write.ts'
import { Bits, withoutEmulation } from './nal-units.ts'

/** What a sequence parameter set says (ITU-T H.264 §7.3.2.1.1). */
export type Sps = {
  readonly profile: number
  readonly constraints: number
  readonly level: number
  readonly chroma: number
  readonly lumaBits: number
  readonly chromaBits: number
  readonly width: number
  readonly height: number
}

/** Read a sequence parameter set. @returns null when it cannot be one */
export function readSps(unit: Buffer): Sps | null {
  if (unit.length < 5 || unit.length > LIMIT_OCTETS) return null
  const [profile, constraints, level] = [unit[1]!, unit[2]!, unit[3]!]
  const bits = new Bits(withoutEmulation(unit.subarray(4)))
  bits.golomb()
  const [chroma, lumaBits, chromaBits] = HIGH.includes(profile) ? readHigh(bits) : [1, 8, 8]
  bits.golomb()
  skipOrder(bits)
  bits.golomb()
  bits.take(1)
  const columns = bits.golomb() + 1
  const rows = bits.golomb() + 1
  const isFrames = bits.take(1)
  if (isFrames === 0) bits.take(1)
  bits.take(1)
  const crop = bits.take(1) === 1 ? [0, 1, 2, 3].map(() => bits.golomb()) : [0, 0, 0, 0]
  const [unitX, unitY] = [chroma === 1 || chroma === 2 ? 2 : 1, (chroma === 1 ? 2 : 1) * (2 - isFrames)]
  const width = columns * 16 - (crop[0]! + crop[1]!) * unitX
  const height = rows * 16 * (2 - isFrames) - (crop[2]! + crop[3]!) * unitY
  if (bits.isOver || width < 1 || height < 1 || width > 0xffff || height > 0xffff) return null
  return { profile, constraints, level, chroma, lumaBits, chromaBits, width, height }
}

const LIMIT_OCTETS = 1024
const HIGH = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]

function readHigh(bits: Bits): [number, number, number] {
  const chroma = bits.golomb()
  if (chroma === 3) bits.take(1)
  const [luma, colour] = [8 + bits.golomb(), 8 + bits.golomb()]
  bits.take(1)
  if (bits.take(1) === 1) {
    for (let i = 0; i < (chroma === 3 ? 12 : 8); i++) if (bits.take(1) === 1) skipList(bits, i < 6 ? 16 : 64)
  }
  return [chroma, luma, colour]
}

/** ITU-T H.264 §7.3.2.1.1.1. */
function skipList(bits: Bits, length: number): void {
  let [last, next] = [8, 8]
  for (let i = 0; i < length; i++) {
    if (next !== 0) next = (last + bits.signedGolomb() + 256) % 256
    if (next !== 0) last = next
  }
}

function skipOrder(bits: Bits): void {
  const type = bits.golomb()
  if (type === 0) bits.golomb()
  if (type !== 1) return
  bits.take(1)
  bits.golomb()
  bits.golomb()
  const count = Math.min(bits.golomb(), 255)
  for (let i = 0; i < count; i++) bits.golomb()
}

/** Sample entry of a stream with these parameter sets (ISO 14496-15 §5.4.2). */
export function avcEntry(
  sps: Sps,
  spsUnit: Uint8Array,
  ppsUnit: Uint8Array,
): { codec: string; entry: Uint8Array } {
  const { profile, constraints, level, chroma, lumaBits, chromaBits, width, height } = sps
  const more = HIGH.includes(profile)
    ? Uint8Array.of(0xfc | chroma, 0xf8 | (lumaBits - 8), 0xf8 | (chromaBits - 8), 0)
    : zeros(0)
  const config = box(
    'avcC',
    Uint8Array.of(1, profile, constraints, level, 0xff, 0xe1),
    u16(spsUnit.length),
    spsUnit,
    Uint8Array.of(1),
    u16(ppsUnit.length),
    ppsUnit,
    more,
  )
  const picture = [u16(width, height), u32(0x480000, 0x480000, 0), u16(1), zeros(32), u16(24, 0xffff)]
  const entry = box('avc1', zeros(6), u16(1), zeros(16), ...picture, config)
  const codec = `avc1.${[profile, constraints, level].map((octet) => octet.toString(16).padStart(2, '0')).join('')}`
  return { codec, entry }
}
