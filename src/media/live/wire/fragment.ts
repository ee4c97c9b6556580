import { type Box, boxesIn, childOf, children, type Fields, fullBox } from '#media/wire/bmff.ts'
import { MediaFault } from '#media/wire/fault.ts'
import type { TrackDefaults } from '#media/wire/movie-box.ts'
import type { StreamBox } from './box-reader.ts'
import type { Sample } from './sample.ts'

/** What holds for samples of a track where nothing nearer says otherwise. */
type Defaults = { readonly ticks: number; readonly octets: number; readonly flags: number }

export type TrackSamples = { readonly trackId: number; readonly samples: readonly Sample[] }

/**
 * Take a movie fragment apart (ISO 14496-12 §8.8.4).
 *
 * @param moof and the `mdat` behind it
 * @param defaults of each track of the movie, by its id
 * @returns what it holds of each track; octets are views of `mdat`
 * @throws {MediaFault} when it cannot be read, or speaks of octets that are not there
 */
export function readFragment(
  moof: StreamBox,
  mdat: StreamBox,
  defaults: ReadonlyMap<number, TrackDefaults>,
): TrackSamples[] {
  return boxesIn(moof.content, moof.contentAt)
    .filter(({ type }) => type === 'traf')
    .map((traf) => readTraf(traf, { moof, mdat, defaults }))
}

type Surroundings = {
  readonly moof: StreamBox
  readonly mdat: StreamBox
  readonly defaults: ReadonlyMap<number, TrackDefaults>
}

function readTraf(traf: Box, around: Surroundings): TrackSamples {
  const boxes = children(traf)
  const tfhd = childOf(boxes, 'tfhd')
  if (tfhd === undefined) throw new MediaFault('A track fragment has no tfhd')
  const { trackId, base, ...header } = readHeader(tfhd, around)
  const tfdt = childOf(boxes, 'tfdt')
  if (tfdt === undefined) throw new MediaFault('A track fragment does not say its decode time (tfdt)')
  let at = readDecodeTime(tfdt)
  let from = base
  const samples: Sample[] = []
  for (const trun of boxes) {
    if (trun.type !== 'trun') continue
    for (const { entry, octetsFrom } of readRun(trun, header, base, from)) {
      samples.push(sampleOf(entry, at, octetsFrom, around.mdat))
      at += entry.ticks
      from = octetsFrom + entry.octets
    }
    if (samples.length > LIMIT_SAMPLES)
      throw new MediaFault(`A fragment has more than ${LIMIT_SAMPLES} samples`)
  }
  return { trackId, samples }
}

function readHeader(
  tfhd: Box,
  { moof, defaults }: Surroundings,
): Defaults & { trackId: number; base: number } {
  const { flags, fields } = fullBox(tfhd)
  const trackId = fields.u32()
  const movie = defaults.get(trackId)
  if (movie === undefined)
    throw new MediaFault(`A fragment is of track ${trackId}, which the movie does not have`)
  const base = flags & 0x01 ? fields.u64() : moof.at
  if (flags & 0x02) fields.skip(4)
  const ticks = flags & 0x08 ? fields.u32() : movie.duration
  const octets = flags & 0x10 ? fields.u32() : movie.size
  return { trackId, base, ticks, octets, flags: flags & 0x20 ? fields.u32() : movie.flags }
}

function readDecodeTime(tfdt: Box): number {
  const { version, fields } = fullBox(tfdt)
  const at = version === 0 ? fields.u32() : fields.u64()
  if (!Number.isSafeInteger(at)) throw new MediaFault('A decode time is beyond 2^53 ticks')
  return at
}

type Entry = Defaults & { readonly offset: number }

/** ISO 14496-12 §8.8.8. */
function* readRun(
  trun: Box,
  defaults: Defaults,
  base: number,
  next: number,
): Generator<{ entry: Entry; octetsFrom: number }> {
  const { flags, fields } = fullBox(trun)
  const count = fields.u32()
  let octetsFrom = flags & 0x01 ? base + fields.i32() : next
  const firstFlags = flags & 0x04 ? fields.u32() : undefined
  if (count > LIMIT_SAMPLES)
    throw new MediaFault(`A fragment has ${count} samples; ${LIMIT_SAMPLES} are the limit`)
  for (let i = 0; i < count; i++) {
    const own = i === 0 ? { ...defaults, flags: firstFlags ?? defaults.flags } : defaults
    const entry = readEntry(fields, flags, own)
    yield { entry, octetsFrom }
    octetsFrom += entry.octets
  }
}

function readEntry(fields: Fields, flags: number, defaults: Defaults): Entry {
  const ticks = flags & 0x100 ? fields.u32() : defaults.ticks
  const octets = flags & 0x200 ? fields.u32() : defaults.octets
  const sampleFlags = flags & 0x400 ? fields.u32() : defaults.flags
  // Version 0 has no sign, but writers write one.
  const offset = flags & 0x800 ? fields.i32() : 0
  return { ticks, octets, flags: sampleFlags, offset }
}

function sampleOf(
  { ticks, octets, flags, offset }: Entry,
  at: number,
  from: number,
  mdat: StreamBox,
): Sample {
  const start = from - mdat.contentAt
  if (start < 0 || start + octets > mdat.content.length) {
    throw new MediaFault(`A sample of ${octets} octets at ${from} does not lie in the mdat behind its moof`)
  }
  // ISO 14496-12 §8.8.3.1: sample_is_non_sync_sample.
  return {
    at,
    ticks,
    offset,
    isKey: (flags & 0x10000) === 0,
    octets: mdat.content.subarray(start, start + octets),
  }
}

/** 20 s of 200 frames a second, and of sound the more */
const LIMIT_SAMPLES = 20_000
