import { type Box, boxesIn, childOf, type Fields, fieldsOf } from './bmff.ts'
import { MediaFault } from './fault.ts'

/** What turns samples of H.264 or HEVC into byte streams (ITU-T H.264 and H.265, Annex B). */
export type ByteStream = {
  /** Octets of the length before each NAL unit. */
  readonly lengthOctets: number
  /** Parameter sets, each without start code. */
  readonly sets: readonly Uint8Array[]
  readonly codec: 'avc' | 'hevc'
}

const videoEntryOctets = 78
const startCode = Uint8Array.of(0, 0, 0, 1)
const delimiter = { avc: Uint8Array.of(9, 0xf0), hevc: Uint8Array.of(0x46, 1, 0x50) }
const delimiterType = { avc: 9, hevc: 35 }
const setTypes = { avc: [7, 8], hevc: [32, 33, 34] }

/**
 * Read what a sample entry's configuration says (ISO 14496-15 §5.3.3, §8.3.3).
 *
 * @param entry a whole sample entry box of avc1, avc3, hvc1 or hev1
 * @returns undefined when it is of another codec
 */
export function byteStreamOf(entry: Uint8Array): ByteStream | undefined {
  const [box] = boxesIn(entry, 0)
  if (!box) return undefined
  const parts = boxesIn(box.content.subarray(videoEntryOctets), videoEntryOctets)
  const avcC = childOf(parts, 'avcC')
  if (avcC) return avcStream(avcC)
  const hvcC = childOf(parts, 'hvcC')
  return hvcC && hevcStream(hvcC)
}

function avcStream(avcC: Box): ByteStream {
  const fields = fieldsOf(avcC)
  fields.skip(4)
  const lengthOctets = (fields.u8() & 3) + 1
  const sequence = unitsOf(fields, fields.u8() & 31)
  return { codec: 'avc', lengthOctets, sets: [...sequence, ...unitsOf(fields, fields.u8())] }
}

function hevcStream(hvcC: Box): ByteStream {
  const fields = fieldsOf(hvcC)
  fields.skip(21)
  const lengthOctets = (fields.u8() & 3) + 1
  const sets: Uint8Array[] = []
  for (let arrays = fields.u8(); arrays > 0; arrays--) {
    const type = fields.u8() & 63
    const units = unitsOf(fields, fields.u16())
    if (setTypes.hevc.includes(type)) sets.push(...units)
  }
  return { codec: 'hevc', lengthOctets, sets }
}

function unitsOf(fields: Fields, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => fields.take(fields.u16()))
}

/**
 * A sample as an access unit: delimiter first, parameter sets where decoding can begin, start codes for lengths.
 *
 * @throws {MediaFault} when lengths do not fill the sample
 */
export function accessUnit(sample: Uint8Array, stream: ByteStream, isSync: boolean): Uint8Array {
  const { codec, lengthOctets, sets } = stream
  const units = nalUnits(sample, lengthOctets).filter((unit) => typeOf(unit, codec) !== delimiterType[codec])
  const hasSets = units.some((unit) => typeOf(unit, codec) === setTypes[codec].at(-2))
  const all = [delimiter[codec], ...(isSync && !hasSets ? sets : []), ...units]
  return Buffer.concat(all.flatMap((unit) => [startCode, unit]))
}

function typeOf(unit: Uint8Array, codec: 'avc' | 'hevc'): number {
  return codec === 'avc' ? unit[0]! & 31 : (unit[0]! >> 1) & 63
}

function nalUnits(sample: Uint8Array, lengthOctets: number): Uint8Array[] {
  const units: Uint8Array[] = []
  let at = 0
  while (at < sample.length) {
    let octets = 0
    for (let i = 0; i < lengthOctets; i++) octets = octets * 256 + (sample[at + i] ?? 0)
    at += lengthOctets
    if (at + octets > sample.length) {
      throw new MediaFault(
        `A NAL unit says ${octets} octets; its sample has ${Math.max(0, sample.length - at)} left`,
      )
    }
    if (octets > 0) units.push(sample.subarray(at, at + octets))
    at += octets
  }
  return units
}
