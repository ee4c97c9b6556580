import type { Cut, MediaFile, Movie, SegmentLayout } from '#media/movie/movie.ts'
import { keySegment } from './key-frames.ts'
import { layFragments, layKeyFragment } from './lay-fragments.ts'
import type { Gathered } from './matroska-samples.ts'
import { fragmentLayout, mediaSegment } from './segment.ts'

/**
 * How a segment is put together, whatever the container: MP4 is laid out by its index; fragments and Matroska have to be read to know.
 *
 * @throws {MediaFault} when the film cannot be read
 * @throws {RangeError} when the movie has no such track
 */
export async function laySegment(
  file: MediaFile,
  movie: Movie,
  trackId: number,
  cut: Cut,
): Promise<SegmentLayout> {
  if (movie.container === 'mp4') return mediaSegment(movie, trackId, cut)
  if (movie.container === 'fragments') return layFragments(file, movie, trackId, cut)
  const gathered = await gatherSamples(file, movie, trackId, cut)
  return layGathered(trackId, gathered, gathered.samples.count)
}

/** The same of a key frame alone, from keyFramesOf(). */
export async function layKeySegment(
  file: MediaFile,
  movie: Movie,
  trackId: number,
  cut: Cut,
): Promise<SegmentLayout> {
  if (movie.container === 'mp4') return keySegment(movie, trackId, cut)
  if (movie.container === 'fragments') return layKeyFragment(file, movie, trackId, cut)
  const gathered = await gatherSamples(file, movie, trackId, cut)
  return layGathered(trackId, gathered, Math.min(1, gathered.samples.count), cut)
}

/** Read the samples of a cut from a Matroska file; its reader is imported with the first. */
export async function gatherSamples(
  file: MediaFile,
  movie: Movie,
  trackId: number,
  cut: Cut,
): Promise<Gathered> {
  const { gatherMatroska } = await import('./matroska-samples.ts')
  return gatherMatroska(file, movie, trackId, cut)
}

function layGathered(trackId: number, gathered: Gathered, count: number, cut?: Cut): SegmentLayout {
  const { samples, contents, decodeTime } = gathered
  const content = { trackId, samples, first: 0, end: count, entry: 0, decodeTime }
  const alone = cut ? { lastDuration: Math.max(1, Math.round(cut.durationSeconds * cut.timescale)) } : {}
  return fragmentLayout({ ...content, ...alone }, contents.slice(0, count))
}
