import type { Box } from '#media/wire/bmff.ts'
import { leastOf, valueAt } from '#media/wire/columns.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { type FragmentedTrack, readFragment } from '#media/wire/fragment.ts'
import {
  type FragmentIndex,
  isInOrder,
  readRandomAccess,
  readSegmentIndex,
} from '#media/wire/fragment-index.ts'
import type { MovieBox, TrackDefaults } from '#media/wire/movie-box.ts'
import { createSampleList } from '#media/wire/sample-list.ts'
import { decodeTime, type Samples } from '#media/wire/samples.ts'
import { leadTrack } from './cuts.ts'
import type { MediaFile, Track } from './movie.ts'
import { type Found, settle } from './settle.ts'
import { type BoxLimits, topBoxes, type Window } from './top-boxes.ts'
import { trackOctets } from './track.ts'

/*
 * A film in fragments is read from end to end to know its samples: two hours are thousands of reads. Where it has an index
 * (sidx at its beginning, mfra at its end), that says where fragments begin and when: each is one "sample" of its track
 * here, as a key frame is in Matroska, and what is in it is read when a segment is laid.
 */

/** Fewer fragments are soon read, and then everything is known to the octet. */
const LEAST_FRAGMENTS = 64
const LIMIT_SAMPLES = 1_000_000
const MFRO_OCTETS = 16

type Place = {
  readonly read: Window
  readonly file: MediaFile
  readonly limits: BoxLimits
  readonly movieBox: MovieBox
}

/** The index of a film's leading track; undefined when it has none, or one that cannot be relied on. */
export async function findIndex(
  place: Place,
  { sidxes, firstAt }: { readonly sidxes: readonly Box[]; readonly firstAt: number },
): Promise<FragmentIndex | undefined> {
  const { movieBox, limits } = place
  // There is nothing to find: it is refused when all of it has been looked at.
  if (movieBox.tracks.every(({ kind }) => kind === 'text')) return undefined
  try {
    const found = [...sidxes.map(readSegmentIndex), ...(await randomAccess(place))]
    const { id } = leadTrack(movieBox)
    const index = found.find((each) => each?.trackId === id && isInOrder(each, firstAt))
    if (!index || index.entries.length < LEAST_FRAGMENTS || 2 * index.entries.length > limits.boxes)
      return undefined
    return await endOf(place, index)
  } catch (error) {
    if (error instanceof MediaFault) return undefined
    throw error
  }
}

/** mfra stands at the end, and its last box says how long it is (ISO 14496-12 §8.8.11). */
async function randomAccess({ read, file, limits, movieBox }: Place): Promise<FragmentIndex[]> {
  if (file.octets < MFRO_OCTETS) return []
  const mfro = Buffer.from(await read(file.octets - MFRO_OCTETS, MFRO_OCTETS))
  const octets = mfro.readUInt32BE(12)
  if (mfro.toString('latin1', 4, 8) !== 'mfro' || octets > file.octets) return []
  const stretch = { from: file.octets - octets, end: file.octets }
  for await (const { header, whole } of topBoxes(read, file, limits, stretch)) {
    if (header.type !== 'mfra') return []
    return readRandomAccess(
      await whole(),
      (id) => movieBox.tracks.find((track) => track.id === id)?.timescale,
    )
  }
  return []
}

/** Look at what the index names last: it is a fragment, nothing comes behind it, and it says when the film ends. */
async function endOf(place: Place, index: FragmentIndex): Promise<FragmentIndex | undefined> {
  const { read, file, limits, movieBox } = place
  const from = index.entries.at(-1)!.offset
  const tracks = new Map([[index.trackId, emptyTrack(movieBox.defaults?.get(index.trackId), 1)]])
  let end = index.endOffset ?? file.octets
  for await (const { header, at, whole } of topBoxes(read, file, limits, { from, end: file.octets })) {
    if (at === from && header.type !== 'moof' && header.type !== 'styp') return undefined
    if (header.type === 'moof' && at >= end) return undefined
    if (header.type === 'moof') readFragment(await whole(), { start: at, end: file.octets }, tracks)
    if (header.type === 'mfra') end = Math.min(end, at)
  }
  const { samples } = tracks.get(index.trackId)!
  const endTicks = index.endTicks ?? index.entries.at(-1)!.ticks + samples.time()
  return { ...index, endTicks, endOffset: end }
}

/** What there is of a film when it has been stretched: its first fragments, and the index of all. */
type Known = {
  readonly index: FragmentIndex
  readonly movieBox: MovieBox
  readonly found: readonly Found[]
  readonly fileOctets: number
}

/**
 * Give each track one sample for each fragment of the index.
 *
 * @param tracks as their first fragments tell them
 * @returns the tracks, settled; undefined where the index is not enough: every fragment has to be read then
 */
export function stretchTracks(tracks: readonly Track[], known: Known): Track[] | undefined {
  const { index, movieBox, found } = known
  const played = tracks.filter(({ kind }) => kind !== 'text')
  const lead = played.find(({ id }) => id === index.trackId)
  const hasAll = movieBox.tracks.every(({ id, kind }) => kind === 'text' || tracks.some((t) => t.id === id))
  if (!lead || !hasAll) return undefined
  const stretched = played.map((track) => {
    const { samples, startTicks } = found.find(({ box }) => box.id === track.id)!
    const defaults = movieBox.defaults?.get(track.id) ?? NO_DEFAULTS
    const raiseTicks = -Math.min(0, leastOf(samples.compositions))
    const fragments = { defaults, startTicks, raiseTicks }
    return { ...track, fragments, samples: stretchSamples(track, lead, known) }
  })
  const settled = settle(stretched)
  // Nothing may lie before the beginning: a fragment is left out whole or not at all.
  return settled.every(({ samples }, i) => samples.count === stretched[i]!.samples.count)
    ? settled
    : undefined
}

const NO_DEFAULTS: TrackDefaults = { entry: 1, duration: 0, size: 0, flags: 0 }

function stretchSamples(track: Track, lead: Track, { index, fileOctets }: Known): Samples {
  const { entries, timescale, endTicks, endOffset } = index
  const [first] = entries
  const ends = { ticks: endTicks!, offset: endOffset ?? fileOctets }
  const composition = valueAt(track.samples.compositions, 0)
  // The index has times of showing; those of other tracks are nearest to them.
  const shown = (valueAt(lead.samples.compositions, 0) + lead.offsetTicks) / lead.timescale
  const decodeAt = (ticks: number): number => {
    const seconds = (ticks - first!.ticks) / timescale
    if (track === lead) return Math.round(seconds * track.timescale)
    return Math.max(0, Math.round((shown + seconds) * track.timescale) - track.offsetTicks - composition)
  }
  const ticks = decodeTime(track.samples, track.samples.count)
  const octetsATick = ticks > 0 ? trackOctets(track) / ticks : 0
  const list = createSampleList(entries.length)
  entries.forEach((entry, i) => {
    const next = entries[i + 1] ?? ends
    const begin = i === 0 ? 0 : decodeAt(entry.ticks)
    const duration = Math.max(0, decodeAt(next.ticks) - begin)
    list.chunk(entry.offset, 0)
    // Octets of the leading track are those of all: what is said of it is not too little.
    list.add(
      track === lead ? next.offset - entry.offset : Math.round(octetsATick * duration),
      duration,
      composition,
      true,
    )
  })
  return list.finish()
}

/** A track whose fragments are about to be read. */
export function emptyTrack(defaults: TrackDefaults | undefined, entryCount: number): FragmentedTrack {
  return {
    defaults: defaults ?? NO_DEFAULTS,
    samples: createSampleList(LIMIT_SAMPLES),
    entryCount,
    startTicks: undefined,
  }
}
