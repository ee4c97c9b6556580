import { valueAt } from '#media/wire/columns.ts'
import { decodeTime, octetsOf, type Samples, sampleFrom, syncAt, syncCount } from '#media/wire/samples.ts'
import type { Track } from './movie.ts'

/** Pictures between decoding and showing one; codecs keep 16. */
const mostReordered = 64

type Timed = Pick<Track, 'samples' | 'offsetTicks'>

/** When a sample is shown, in ticks of its track. */
export function presentationTime({ samples, offsetTicks }: Timed, sample: number): number {
  return decodeTime(samples, sample) + valueAt(samples.compositions, sample) + offsetTicks
}

/** When the sync sample of a place in their order is shown. */
export function syncTime(track: Timed, place: number): number {
  return presentationTime(track, syncAt(track.samples, place))
}

/** The place of the last sync sample that is shown at `ticks` or before; -1 when there is none. */
export function lastSyncUpTo(track: Timed, ticks: number): number {
  let [low, high] = [0, syncCount(track.samples)]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (syncTime(track, middle) <= ticks) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The sample nearest to a time at which a segment may begin: video begins with a sync sample. */
export function sampleNearest(track: Track, ticks: number): number {
  const { samples } = track
  if (track.kind === 'video') {
    const place = lastSyncUpTo(track, ticks)
    if (place < 0) return 0
    if (place + 1 === syncCount(samples)) return syncAt(samples, place)
    const isNearer = syncTime(track, place + 1) - ticks < ticks - syncTime(track, place)
    return syncAt(samples, isNearer ? place + 1 : place)
  }
  const after = sampleFrom(samples, ticks - track.offsetTicks)
  if (after === 0) return 0
  // The time after the last sample is the track's end.
  const [before, next] = [after - 1, after].map((i) => decodeTime(samples, i) + track.offsetTicks)
  return ticks - before! < next! - ticks ? after - 1 : after
}

/** The first samples up to which time is earliest: with B-frames the first in the file need not be. */
export function firstPresentation(track: Timed): number {
  const { samples } = track
  const end = Math.min(samples.count, syncCount(samples) > 1 ? syncAt(samples, 1) : samples.count, 1000)
  let [time, earliest] = [0, Number.POSITIVE_INFINITY]
  for (let i = 0; i < end; i++) {
    earliest = Math.min(earliest, time + valueAt(samples.compositions, i))
    time += valueAt(samples.durations, i)
  }
  return earliest + track.offsetTicks
}

/** When the last picture or sound of a track ends. */
export function lastPresentation(track: Timed): number {
  const { samples } = track
  const from = Math.max(0, samples.count - mostReordered)
  let time = decodeTime(samples, from)
  let latest = 0
  for (let i = from; i < samples.count; i++) {
    const duration = valueAt(samples.durations, i)
    latest = Math.max(latest, time + valueAt(samples.compositions, i) + duration)
    time += duration
  }
  return latest + track.offsetTicks
}

/** How many samples are left when those at the end go that would be shown at `ticks` or later. */
export function countUpTo(track: Timed, ticks: number): number {
  const { samples, offsetTicks } = track
  if (lastPresentation(track) <= ticks) return samples.count
  let count = Math.min(samples.count, sampleFrom(samples, ticks - offsetTicks) + mostReordered)
  const least = Math.max(1, count - 2 * mostReordered)
  while (count > least && presentationTime(track, count - 1) >= ticks) count--
  return count
}

/** Mean frames a second, to three decimals; the mean is what HLS wants of a variable rate. */
export function frameRateOf(samples: Samples, timescale: number): number {
  const ticks = decodeTime(samples, samples.count)
  return ticks > 0 ? Math.round((samples.count * timescale * 1000) / ticks) / 1000 : 0
}

/** Octets of a whole track. */
export function trackOctets({ samples }: Pick<Track, 'samples'>): number {
  return octetsOf(samples, 0, samples.count)
}
