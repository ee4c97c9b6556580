import { emptyTrack } from '#media/movie/fragments.ts'
import type { Cut, MediaFile, Movie, SegmentLayout, Track } from '#media/movie/movie.ts'
import { createWindow, topBoxes } from '#media/movie/top-boxes.ts'
import { chunkParts } from '#media/wire/chunks.ts'
import { readFragment } from '#media/wire/fragment.ts'
import { raiseCompositions, type Samples } from '#media/wire/samples.ts'
import { trackById } from './init.ts'
import { sampleLayout, samplesOfCut } from './segment.ts'

/** More than the fragments of one segment have. */
const LIMITS = { indexOctets: 4 * 2 ** 20, boxes: 4096 }

/** A segment of the fragments of a cut. @throws {MediaFault} when they cannot be read */
export async function layFragments(
  file: MediaFile,
  movie: Movie,
  trackId: number,
  cut: Cut,
): Promise<SegmentLayout> {
  const read = await samplesOfFragments(file, movie, trackId, cut)
  return layStretch(trackById(movie, trackId), read, read.samples.count)
}

/** The same of a key frame alone, from keyFramesOf(). */
export async function layKeyFragment(
  file: MediaFile,
  movie: Movie,
  trackId: number,
  cut: Cut,
): Promise<SegmentLayout> {
  const track = trackById(movie, trackId)
  const { first } = samplesOfCut(track, cut)
  const read = await readStretch(file, track, first, first + 1)
  return layStretch(track, read, 1, Math.max(1, Math.round(cut.durationSeconds * track.timescale)))
}

function layStretch(
  track: Track,
  { samples, time }: FragmentSamples,
  count: number,
  lastDuration?: number,
): SegmentLayout {
  const offsetTicks = Math.max(0, time + Math.max(0, track.offsetTicks))
  return sampleLayout({ ...track, samples, offsetTicks }, 0, Math.min(count, samples.count), lastDuration)
}

/** The samples of a stretch of fragments; `time` is the decode time of the first, as `samples` of a Track count it. */
export type FragmentSamples = { readonly samples: Samples; readonly time: number }

/**
 * Read what a track has in the fragments of a cut.
 *
 * @throws {MediaFault} when they cannot be read
 */
export function samplesOfFragments(
  file: MediaFile,
  movie: Movie,
  trackId: number,
  cut: Cut,
): Promise<FragmentSamples> {
  const track = trackById(movie, trackId)
  const { first, end } = samplesOfCut(track, cut)
  return readStretch(file, track, first, end)
}

async function readStretch(
  file: MediaFile,
  track: Track,
  first: number,
  end: number,
): Promise<FragmentSamples> {
  const { defaults, startTicks, raiseTicks } = track.fragments!
  const read = emptyTrack(defaults, track.entries.length)
  const { count } = track.samples
  const stretch = {
    from: offsetOf(track, first),
    end: end < count ? offsetOf(track, end) : file.octets,
  }
  if (first < end) {
    const window = createWindow(file, new Uint8Array())
    for await (const { header, at, whole } of topBoxes(window, file, LIMITS, stretch)) {
      if (header.type !== 'moof') continue
      readFragment(await whole(), { start: at, end: file.octets }, new Map([[track.id, read]]))
    }
  }
  const samples = raiseCompositions(read.samples.finish(), raiseTicks)
  return { samples, time: (read.startTicks ?? startTicks) - startTicks }
}

function offsetOf({ samples }: Track, place: number): number {
  for (const { from } of chunkParts(samples, place, place + 1)) return from
  return 0
}
