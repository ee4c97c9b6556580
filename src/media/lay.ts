import type { Cut, MediaFile, Movie, SegmentLayout } from './movie.ts'
import { mediaSegment } from './segment.ts'

/**
 * How a segment is put together, whatever the container: MP4 is laid out by its index, Matroska has to be read to know.
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
  void file
  return mediaSegment(movie, trackId, cut)
}
