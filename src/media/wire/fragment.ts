import { type Box, childOf, children, type Fields, fullBox } from './bmff.ts'
import { MediaFault } from './fault.ts'
import type { TrackDefaults } from './movie-box.ts'
import type { SampleList } from './sample-list.ts'

/** A track of a film with fragments, while they are read. */
export type FragmentedTrack = {
  readonly defaults: TrackDefaults
  readonly samples: SampleList
  readonly entryCount: number
  /** Decode time of its first sample: a recording need not begin at 0. */
  startTicks: number | undefined
}

const nonSync = 0x10000

/**
 * Add the samples of a fragment to their tracks (ISO 14496-12 §8.8.4 to §8.8.8).
 *
 * @param start offset of the moof box in the file, which its data offsets count from
 * @param end octets of the file; samples beyond are a fault
 */
export function readFragment(
  moof: Box,
  { start, end }: { start: number; end: number },
  tracks: ReadonlyMap<number, FragmentedTrack>,
): void {
  let next = start
  for (const traf of children(moof)) {
    if (traf.type !== 'traf') continue
    const boxes = children(traf)
    const tfhd = childOf(boxes, 'tfhd')
    if (!tfhd) throw new MediaFault(`traf at octet ${traf.at} has no tfhd`)
    const head = fragmentHead(tfhd, tracks)
    const base = head.base ?? (head.isFromMoof ? start : next)
    const runs = boxes.filter(({ type }) => type === 'trun')
    if (head.track) beginAt(head.track, childOf(boxes, 'tfdt'))
    next = runs.reduce((from, run) => readRun(run, { head, base, from, end }), base)
  }
}

type FragmentHead = TrackDefaults & {
  readonly track: FragmentedTrack | undefined
  readonly base: number | undefined
  readonly isFromMoof: boolean
}

function fragmentHead(tfhd: Box, tracks: ReadonlyMap<number, FragmentedTrack>): FragmentHead {
  const { flags, fields } = fullBox(tfhd)
  const track = tracks.get(fields.u32())
  const base = flags & 0x1 ? fields.u64() : undefined
  const given = (flag: number, otherwise: number | undefined) =>
    flags & flag ? fields.u32() : (otherwise ?? 0)
  const entry = given(0x2, track?.defaults.entry ?? 1)
  const duration = given(0x8, track?.defaults.duration)
  const size = given(0x10, track?.defaults.size)
  const sampleFlags = given(0x20, track?.defaults.flags)
  if (track && (entry < 1 || entry > track.entryCount)) {
    throw new MediaFault(`tfhd at octet ${tfhd.at} names sample entry ${entry}; stsd has ${track.entryCount}`)
  }
  return { track, base, isFromMoof: (flags & 0x20000) !== 0, entry, duration, size, flags: sampleFlags }
}

function beginAt(track: FragmentedTrack, tfdt: Box | undefined): void {
  if (!tfdt) {
    track.startTicks ??= 0
    return
  }
  const { version, fields } = fullBox(tfdt)
  const ticks = version === 1 ? fields.u64() : fields.u32()
  track.startTicks ??= ticks
  const time = ticks - track.startTicks
  if (time !== track.samples.time()) track.samples.moveTo(time)
}

type RunPlace = {
  readonly head: FragmentHead
  readonly base: number
  /** Where the run before ended. */
  readonly from: number
  readonly end: number
}

/** Returns where the run's samples end. */
function readRun(trun: Box, { head, base, from, end }: RunPlace): number {
  const { flags, fields } = fullBox(trun)
  const count = fields.u32()
  let at = flags & 0x1 ? base + fields.i32() : from
  const firstFlags = flags & 0x4 ? fields.u32() : undefined
  refuseMore(trun, flags, count, fields)
  if (!head.track && !(flags & 0x200)) return at + count * head.size
  head.track?.samples.chunk(at, head.entry - 1)
  for (let i = 0; i < count; i++) {
    const duration = flags & 0x100 ? fields.u32() : head.duration
    const octets = flags & 0x200 ? fields.u32() : head.size
    const sampleFlags = flags & 0x400 ? fields.u32() : i === 0 ? (firstFlags ?? head.flags) : head.flags
    const composition = flags & 0x800 ? fields.i32() : 0
    at += octets
    if (at < octets || at > end) {
      throw new MediaFault(
        `trun at octet ${trun.at}: sample ${i + 1} ends at octet ${at}; the file has ${end}`,
      )
    }
    head.track?.samples.add(octets, duration, composition, (sampleFlags & nonSync) === 0)
  }
  return at
}

function refuseMore(trun: Box, flags: number, count: number, fields: Fields): void {
  const fieldsEach = [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length
  if (count * fieldsEach * 4 > fields.left()) {
    throw new MediaFault(`trun at octet ${trun.at} says ${count} samples; ${fields.left()} octets are there`)
  }
}
