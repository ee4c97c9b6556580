import { refuse } from '#http/wire/refusal.ts'
import type { Input } from '#media/live/wire/input.ts'
import { Mp4Input } from '#media/live/wire/mp4-input.ts'
import { TsInput } from '#media/live/wire/ts-input.ts'
import { EncoderFault } from './encoder.ts'

const TS_SYNC = 0x47

/** Types of boxes that a stream or segment may begin with. */
const BEGINNINGS = /^(?:ftyp|styp|moov|moof|sidx|prft|emsg|free|skip)$/

/**
 * Tell containers apart by their first octets.
 *
 * @param limitOctets of one box or packet
 * @throws {EncoderFault} for what is neither
 */
export function openInput(octets: Uint8Array, limitOctets: number): Input {
  const type = Buffer.from(
    octets.buffer,
    octets.byteOffset + 4,
    Math.max(0, Math.min(4, octets.length - 4)),
  ).toString('latin1')
  if (BEGINNINGS.test(type)) return new Mp4Input(limitOctets)
  if (octets[0] === TS_SYNC) return new TsInput(limitOctets)
  throw new EncoderFault(refuse(415, 'this begins neither as fragmented MP4 nor as MPEG-TS'))
}
