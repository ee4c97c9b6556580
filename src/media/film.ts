import { keyFramesOf, keySegment } from './key-frames.ts'
import type { Cut, Movie, Span, Track } from './movie.ts'
import { segmentSpan } from './segment.ts'
import { MediaFault } from './wire/fault.ts'

/** A film as it can be offered: what is in it, how it is cut, and what its version is called in URLs. */
export type Film = {
  /** path of the file as URLs have it */
  readonly path: string
  /** 12 hexadecimal digits: of its content and of how it is cut */
  readonly tag: string
  readonly movie: Movie
  readonly cuts: readonly Cut[]
  readonly lastModified: string | undefined
}

/** Bits a second of a track. */
export type Rates = { readonly peak: number; readonly average: number }

/** The track of a number. @throws {MediaFault} 404 when there is none that is played */
export function requireTrack({ movie }: Film, id: number): Track {
  const found = movie.tracks.find((track) => track.id === id && track.kind !== 'text')
  if (found === undefined) throw new MediaFault(`The film has no track ${id}`, 404)
  return found
}

/** The stretch of a number, counted from 0. @throws {MediaFault} 404 when the film is over by then */
export function requireCut({ cuts }: Film, index: number): Cut {
  const cut = cuts[index]
  if (cut === undefined) throw new MediaFault(`The film has ${cuts.length} segments, counted from 0`, 404)
  return cut
}

/**
 * Where the segments of a track begin, how long they are and how many octets they have: counted once for each film.
 *
 * A track that ends before the film has no segments behind its end; where it has a hole, the cut says how long.
 */
export function spansOf(film: Film, track: Track): readonly Span[] {
  let known = counted.get(film)
  if (known === undefined) counted.set(film, (known = new Map()))
  let spans = known.get(track.id)
  if (spans === undefined) {
    const all = film.cuts.map((cut) => segmentSpan(film.movie, track.id, cut))
    const last = all.findLastIndex(({ durationSeconds }) => durationSeconds > 0)
    spans = all.slice(0, last + 1).map((span, i) => {
      const { startTicks, timescale, durationSeconds } = film.cuts[i]!
      return span.durationSeconds > 0
        ? span
        : { ...span, startSeconds: startTicks / timescale, durationSeconds }
    })
    known.set(track.id, spans)
  }
  return spans
}

/** The key frames of a track of pictures, each with how long it stands; made once for each film. */
export function keySpansOf(film: Film, track: Track): readonly (Span & { readonly cut: Cut })[] {
  let spans = keyFrames.get(track)
  if (spans === undefined) {
    spans = keyFramesOf(film.movie, track.id).map((cut) => {
      const { octets } = keySegment(film.movie, track.id, cut)
      const { startTicks, timescale, durationSeconds } = cut
      return { startSeconds: startTicks / timescale, durationSeconds, octets, cut }
    })
    keyFrames.set(track, spans)
  }
  return spans
}

const counted = new WeakMap<Film, Map<number, readonly Span[]>>()
const keyFrames = new WeakMap<Track, readonly (Span & { readonly cut: Cut })[]>()

/** The wanted longest segment, as playlists say it. */
export function targetSeconds(spans: readonly Span[]): number {
  return Math.max(1, ...spans.map(({ durationSeconds }) => Math.round(durationSeconds)))
}

/**
 * The peak segment bit rate and the average segment bit rate (RFC 8216bis §4.1): the peak is that of the fullest stretch
 * of segments that is between half and one and a half of the target duration long.
 */
export function ratesOf(spans: readonly Span[]): Rates {
  const target = targetSeconds(spans)
  let peak = 0
  let octets = 0
  let seconds = 0
  for (const [from, first] of spans.entries()) {
    octets += first.octets
    seconds += first.durationSeconds
    let stretchOctets = 0
    let stretchSeconds = 0
    for (let i = from; i < spans.length; i++) {
      stretchOctets += spans[i]!.octets
      stretchSeconds += spans[i]!.durationSeconds
      if (stretchSeconds > 1.5 * target) break
      if (stretchSeconds >= 0.5 * target) peak = Math.max(peak, (8 * stretchOctets) / stretchSeconds)
    }
  }
  const average = seconds === 0 ? 0 : (8 * octets) / seconds
  // A film shorter than half a target has no such stretch.
  return { peak: Math.max(peak, average), average }
}
