import type { Cut, Movie, SegmentLayout } from '#media/movie/movie.ts'
import { lastPresentation, lastSyncUpTo, syncTime } from '#media/movie/track.ts'
import { syncAt, syncCount } from '#media/wire/samples.ts'
import { trackById } from './init.ts'
import { sampleLayout } from './segment.ts'

/**
 * The key frames of a video track, each standing until the next: what an I-frame playlist lists (RFC 8216 §4.3.3.6).
 *
 * @param leastSeconds between two of them; nearer ones are left out, so that film of key frames alone has a list of use
 * @returns in ticks of the track
 */
export function keyFramesOf(movie: Movie, trackId: number, leastSeconds = 1): readonly Cut[] {
  const track = trackById(movie, trackId)
  const { timescale } = track
  const end = lastPresentation(track)
  const starts: number[] = []
  for (let place = 0; place < syncCount(track.samples); place++) {
    const ticks = syncTime(track, place)
    // Broken times may lie behind the end.
    if (ticks > end) continue
    if (starts.length === 0 || ticks - starts.at(-1)! >= leastSeconds * timescale) starts.push(ticks)
  }
  return starts.map((startTicks, index) => {
    const endTicks = starts[index + 1]
    return {
      index,
      startTicks,
      endTicks,
      timescale,
      durationSeconds: ((endTicks ?? end) - startTicks) / timescale,
    }
  })
}

/** A segment of one key frame alone, which stands as long as its cut; from keyFramesOf(). */
export function keySegment(movie: Movie, trackId: number, cut: Cut): SegmentLayout {
  const track = trackById(movie, trackId)
  const first = syncAt(track.samples, Math.max(0, lastSyncUpTo(track, cut.startTicks)))
  return sampleLayout(track, first, first + 1, Math.max(1, Math.round(cut.durationSeconds * track.timescale)))
}
