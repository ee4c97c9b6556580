import { box, fullBoxOf, u32, u64 } from '#media/wire/bmff-write.ts'
import type { Sample } from './sample.ts'

/**
 * Write samples of one track as a CMAF chunk: moof and mdat (ISO 23000-19 §7.3.2.3).
 *
 * @param sequence of the fragment, from 1
 * @param samples one at least; `shift` is added to their decode times, in ticks
 */
export function writePart(
  trackId: number,
  sequence: number,
  samples: readonly Sample[],
  shift: number,
): Buffer {
  const headOctets = head(trackId, sequence, samples, shift, 0).length
  const dataOffset = headOctets + 8
  const contentOctets = samples.reduce((sum, { octets }) => sum + octets.length, 0)
  return Buffer.concat([
    head(trackId, sequence, samples, shift, dataOffset),
    u32(contentOctets + 8),
    MDAT,
    ...samples.map(({ octets }) => octets),
  ])
}

const MDAT = Buffer.from('mdat')
/** default-base-is-moof */
const BASE_IS_MOOF = 0x020000
/** data offset, and of each sample duration, size, flags and composition offset */
const ALL_OF_SAMPLES = 0x000f01

function head(
  trackId: number,
  sequence: number,
  samples: readonly Sample[],
  shift: number,
  dataOffset: number,
): Uint8Array {
  const entries = samples.flatMap(({ ticks, octets, isKey, offset }) => [
    ticks,
    octets.length,
    isKey ? KEY : NO_KEY,
    offset,
  ])
  return box(
    'moof',
    fullBoxOf('mfhd', 0, 0, u32(sequence)),
    box(
      'traf',
      fullBoxOf('tfhd', 0, BASE_IS_MOOF, u32(trackId)),
      fullBoxOf('tfdt', 1, 0, u64(samples[0]!.at + shift)),
      fullBoxOf('trun', 1, ALL_OF_SAMPLES, u32(samples.length, dataOffset, ...entries)),
    ),
  )
}

/** ISO 14496-12 §8.8.3.1: depends on no other sample; depends on others and is no sync sample. */
const KEY = 0x02000000
const NO_KEY = 0x01010000
