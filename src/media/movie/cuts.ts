import { valueAt } from '#media/wire/columns.ts'
import { syncAt, syncCount } from '#media/wire/samples.ts'
import type { Cut, Movie, Track } from './movie.ts'

/** A last segment shorter than this part of the target joins the one before. */
const shortTail = 0.5

/** The track that decides where segments begin: the first video, else the first audio. */
export function leadTrack<T extends Pick<Track, 'kind'>>({ tracks }: { readonly tracks: readonly T[] }): T {
  return tracks.find(({ kind }) => kind === 'video') ?? tracks.find(({ kind }) => kind === 'audio')!
}

/**
 * Where the segments of a film begin: at the key frame nearest to each multiple of the target.
 *
 * The grid does not depend on where the segment before began, so that renditions with the same key frames have the same cuts, and
 * one that lacks a key frame is in step again at the next. Sound alone is cut by the grid itself.
 *
 * @param targetSeconds wanted length, above 0
 * @param alongside other renditions of the film: where they are given, only key frames that all have are cut at
 * @returns one cut at least, in order, without gaps; they hold for every track and rendition of the film
 */
export function cutsOf(
  movie: Movie,
  targetSeconds: number,
  alongside: readonly Movie[] = [],
): readonly Cut[] {
  const lead = leadTrack(movie)
  const end = Math.round(movie.durationSeconds * lead.timescale)
  const target = targetSeconds * lead.timescale
  const starts =
    lead.kind === 'video' ? onKeyFrames(sharedKeys(lead, alongside), target, end) : onGrid(target, end)
  while (starts.length > 1 && end - starts.at(-1)! < target * shortTail) starts.pop()
  return starts.map((startTicks, index) => {
    const endTicks = starts[index + 1]
    const durationSeconds = ((endTicks ?? end) - startTicks) / lead.timescale
    return { index, startTicks, endTicks, timescale: lead.timescale, durationSeconds }
  })
}

function onGrid(target: number, end: number): number[] {
  return Array.from({ length: Math.max(1, Math.ceil(end / target)) }, (_, k) => Math.round(k * target))
}

/** Presentation times of the key frames, ascending. */
function keysOf({ samples, offsetTicks }: Track): number[] {
  const keys: number[] = []
  let time = offsetTicks
  for (let i = 0, place = 0; place < syncCount(samples); i++) {
    if (syncAt(samples, place) === i) {
      keys.push(time + valueAt(samples.compositions, i))
      place++
    }
    time += valueAt(samples.durations, i)
  }
  return keys
}

/** Key frames that every rendition has, within half a frame; all of ours when they share none but the first. */
function sharedKeys(lead: Track, alongside: readonly Movie[]): number[] {
  const keys = keysOf(lead)
  const half = lead.frameRate > 0 ? 0.5 / lead.frameRate : 0
  const others = alongside.map(leadTrack).filter(({ kind }) => kind === 'video')
  const shared = others.reduce((left, other) => {
    const theirs = keysOf(other).map((ticks) => ticks / other.timescale)
    return left.filter((ticks) => {
      const seconds = ticks / lead.timescale
      const near = theirs[lowerBound(theirs, seconds - half)]
      return near !== undefined && near <= seconds + half
    })
  }, keys)
  return shared.length > 1 ? shared : keys
}

function onKeyFrames(keys: readonly number[], target: number, end: number): number[] {
  const starts = [0]
  for (let k = 1; k * target < end; k++) {
    const after = lowerBound(keys, k * target)
    const [low, high] = [keys[after - 1], keys[after]]
    const isHigh = high !== undefined && (low === undefined || high - k * target < k * target - low)
    const nearest = isHigh ? high : low
    if (nearest !== undefined && nearest > starts.at(-1)!) starts.push(nearest)
  }
  return starts
}

/** The first place whose value is not below `wanted`. */
function lowerBound(list: readonly number[], wanted: number): number {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (list[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return low
}
