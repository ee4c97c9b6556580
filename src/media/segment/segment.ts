import type { Cut, Movie, OctetRange, SegmentLayout, Span, Track } from '#media/movie/movie.ts'
import { presentationTime, sampleNearest } from '#media/movie/track.ts'
import { box, u32 } from '#media/wire/bmff-write.ts'
import { type Run, runsOf } from '#media/wire/chunks.ts'
import { type FragmentContent, fragmentHead, fragmentHeadOctets } from '#media/wire/fragment-head.ts'
import { decodeTime, octetsOf } from '#media/wire/samples.ts'
import { trackById } from './init.ts'

const styp = box('styp', 'cmfs', u32(0), 'cmfs')

/**
 * How a media segment of a track is put together (ISO 23000-19 §7.3.3): heads that are made here, and ranges of the film.
 *
 * One fragment, or one for each sample entry where the track changes it on the way.
 *
 * @param cut of this movie or of a rendition beside it
 * @throws {RangeError} when the movie has no such track
 */
export function mediaSegment(movie: Movie, trackId: number, cut: Cut): SegmentLayout {
  const track = trackById(movie, trackId)
  const { first, end } = samplesOfCut(track, cut)
  return sampleLayout(track, first, end)
}

/** When a track's segment begins, how long it is, and its octets, without making it. */
export function segmentSpan(movie: Movie, trackId: number, cut: Cut): Span {
  const track = trackById(movie, trackId)
  const { first, end } = samplesOfCut(track, cut)
  const startTicks = first < end ? presentationTime(track, first) : 0
  const ticks = decodeTime(track.samples, end) - decodeTime(track.samples, first)
  const heads = fragmentsOf(track, first, end).map(({ content }) => fragmentHeadOctets(content))
  return {
    startSeconds: Math.max(0, startTicks) / track.timescale,
    durationSeconds: ticks / track.timescale,
    octets: heads.reduce((sum, octets) => sum + octets, styp.length + octetsOf(track.samples, first, end)),
  }
}

/** The samples of a track that a cut takes: none, where the track has none at that time. */
export function samplesOfCut(track: Track, cut: Cut): { first: number; end: number } {
  const inTrack = (ticks: number) => (ticks * track.timescale) / cut.timescale
  const first = cut.index === 0 ? 0 : sampleNearest(track, inTrack(cut.startTicks))
  const end = cut.endTicks === undefined ? track.samples.count : sampleNearest(track, inTrack(cut.endTicks))
  return { first, end: Math.max(first, end) }
}

/** A segment of samples `first` up to, not including, `end`. */
export function sampleLayout(track: Track, first: number, end: number, lastDuration?: number): SegmentLayout {
  const pieces: (Uint8Array | OctetRange)[] = [styp]
  for (const { content, runs } of fragmentsOf(track, first, end)) {
    pieces.push(fragmentHead(lastDuration === undefined ? content : { ...content, lastDuration }))
    pieces.push(...runs.map(({ from, octets }) => ({ from, octets })))
  }
  return layoutOf(pieces)
}

/** A segment of one fragment whose octets are at hand. */
export function fragmentLayout(content: FragmentContent, contents: readonly Uint8Array[]): SegmentLayout {
  return layoutOf([styp, fragmentHead(content), ...contents])
}

function layoutOf(pieces: SegmentLayout['pieces']): SegmentLayout {
  const octets = pieces.reduce(
    (sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece.octets),
    0,
  )
  return { pieces, octets }
}

type Fragment = { readonly content: FragmentContent; readonly runs: readonly Run[] }

function fragmentsOf(track: Track, first: number, end: number): Fragment[] {
  const { id, samples, offsetTicks } = track
  const groups: Run[][] = []
  for (const run of runsOf(samples, first, end)) {
    const group = groups.at(-1)
    if (group && group[0]!.entry === run.entry) group.push(run)
    else groups.push([run])
  }
  // A fragment without samples says that there are none.
  const bounds =
    groups.length > 0
      ? groups.map((group) => ({ first: group[0]!.first, entry: group[0]!.entry }))
      : [{ first, entry: 0 }]
  return bounds.map((bound, i) => ({
    runs: groups[i] ?? [],
    content: {
      trackId: id,
      samples,
      first: bound.first,
      end: bounds[i + 1]?.first ?? end,
      entry: bound.entry,
      decodeTime: decodeTime(samples, bound.first) + Math.max(0, offsetTicks),
    },
  }))
}
