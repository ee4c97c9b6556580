import { leastOf } from '#media/wire/columns.ts'
import { shiftOf } from '#media/wire/edits.ts'
import type { TrackBox } from '#media/wire/movie-box.ts'
import { sliceSamples } from '#media/wire/sample-slice.ts'
import { decodeTime, raiseCompositions, type Samples, sampleFrom, syncAt } from '#media/wire/samples.ts'
import type { Track } from './movie.ts'
import {
  countUpTo,
  firstPresentation,
  frameRateOf,
  lastPresentation,
  lastSyncUpTo,
  trackOctets,
} from './track.ts'

/** A track's box and the samples that were found for it. */
export type Found = {
  readonly box: TrackBox
  readonly samples: Samples
  /** Decode time of the first sample; not 0 in a recording that joined late. */
  readonly startTicks: number
}

/** More offset than this (about 30 years in ticks of 90 000) is a broken file. */
const mostOffset = 2 ** 47

// Decoders need the sound before a point to play from there: a second is more than any codec's.
const soundBeforeSeconds = 1

// Tracks that begin within a second of 0 stay where they are: renditions in files of their own keep step with each other.
const lateSeconds = 1

/**
 * One track of the movie: its edit list becomes an offset, and what the list leaves out goes.
 *
 * @param isWhole false for fragments, whose edit lists do not know how long the film becomes
 * @returns a reason when it cannot be offered
 */
export function trackOf(found: Found, movieTimescale: number, isWhole: boolean): Track | string {
  const { box, samples, startTicks } = found
  const { id, kind, timescale, language, name, matrix, entries } = box
  if (samples.count === 0) return `Track ${id} has no samples`
  const shift = shiftOf(box.edits, movieTimescale, timescale)
  if (typeof shift === 'string') return `Track ${id} ${shift}`
  // Decode times before the picture's: negative composition offsets move into the beginning.
  const early = Math.min(0, leastOf(samples.compositions))
  const offsetTicks = startTicks + shift.offsetTicks + early
  if (Math.abs(offsetTicks) > mostOffset)
    return `Track ${id} begins ${offsetTicks} ticks from 0, which cannot be meant`
  if (kind === 'video' && samples.syncs?.length === 0) return `Track ${id} has no sync sample to begin with`
  const raised = raiseCompositions(samples, -early)
  const count =
    isWhole && shift.endTicks !== undefined
      ? countUpTo({ samples: raised, offsetTicks }, shift.endTicks)
      : samples.count
  const [entry] = entries
  const kept = sliceSamples(raised, 0, count)
  return {
    id,
    kind,
    codec: entry!.codec,
    timescale,
    language,
    name,
    ...shownSize(box),
    frameRate: kind === 'video' ? frameRateOf(kept, timescale) : 0,
    channels: entry!.channels,
    sampleRate: entry!.sampleRate,
    octets: 0,
    durationSeconds: 0,
    entries: entries.map(({ octets }) => octets),
    matrix,
    offsetTicks,
    samples: kept,
  }
}

/** The size after the matrix has turned the picture: a quarter turn has its numbers off the diagonal. */
function shownSize({ kind, width, height, matrix, entries }: TrackBox): Pick<Track, 'width' | 'height'> {
  if (kind !== 'video') return { width: 0, height: 0 }
  const isTurned = matrix.subarray(0, 4).every((octet) => octet === 0)
  const [w, h] = [Math.round(width || entries[0]!.width), Math.round(height || entries[0]!.height)]
  return isTurned ? { width: h, height: w } : { width: w, height: h }
}

/**
 * Give all tracks one beginning at 0, and let go what lies before it.
 *
 * Video begins with the sync sample that is needed for the first picture; when that is before 0, everything moves, because
 * players drop pictures before 0, and with a sync sample all that need it.
 */
export function settle(tracks: readonly Track[]): Track[] {
  const begun = tracks.map(dropBefore)
  const move = -beginningOf(begun)
  return begun.map((track) => {
    const moved = { ...track, offsetTicks: track.offsetTicks + Math.round(move * track.timescale) }
    const settled = moved.kind === 'audio' ? dropBefore(moved) : moved
    return {
      ...settled,
      octets: trackOctets(settled),
      durationSeconds: lastPresentation(settled) / settled.timescale,
    }
  })
}

/** Seconds at which the movie begins now. */
function beginningOf(tracks: readonly Track[]): number {
  const videos = tracks.filter(({ kind }) => kind === 'video')
  const earliest = Math.min(...videos.map((track) => firstPresentation(track) / track.timescale))
  if (earliest < 0) return earliest
  const starts = tracks
    .filter(({ kind }) => kind !== 'text')
    .map((track) => Math.min(firstPresentation(track), track.offsetTicks) / track.timescale)
  const first = Math.min(...starts)
  return first > lateSeconds ? first : 0
}

/** Without the samples before the one that decoding has to begin with for time 0. */
function dropBefore(track: Track): Track {
  // What is said before the beginning is left out when the text is read.
  if (track.kind === 'text') return track
  const first = track.kind === 'video' ? syncBefore(track) : soundBefore(track)
  if (first === 0) return track
  return {
    ...track,
    offsetTicks: track.offsetTicks + decodeTime(track.samples, first),
    samples: sliceSamples(track.samples, first, track.samples.count),
  }
}

function syncBefore(track: Track): number {
  return syncAt(track.samples, Math.max(0, lastSyncUpTo(track, 0)))
}

function soundBefore({ samples, offsetTicks, timescale }: Track): number {
  const wanted = -offsetTicks - soundBeforeSeconds * timescale
  return wanted <= 0 ? 0 : Math.min(sampleFrom(samples, wanted), samples.count - 1)
}
