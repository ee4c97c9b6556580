import type { Cut, Movie, Span, Track } from '#media/movie/movie.ts'
import { keyFramesOf, keySegment } from '#media/segment/key-frames.ts'
import { segmentSpan } from '#media/segment/segment.ts'
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
  const known = spans.get(track)
  if (known !== undefined) return known
  const all = film.cuts.map((cut) => spanOf(film, track, cut))
  return keepSpans(track, all)
}

/** The key frames of a track of pictures, each with how long it stands; made once for each film. */
export function keySpansOf(film: Film, track: Track): readonly KeySpan[] {
  const known = keySpans.get(track)
  if (known !== undefined) return known
  const all = keyFramesOf(film.movie, track.id).map((cut) => keySpanOf(film, track, cut))
  keySpans.set(track, all)
  return all
}

/** Count all of it before it is needed, with pauses: a film of four hours takes half a second. */
export async function countFilm(film: Film): Promise<void> {
  for (const track of film.movie.tracks.filter(({ kind }) => kind !== 'text')) {
    if (!spans.has(track)) keepSpans(track, await inSteps(film.cuts, (cut) => spanOf(film, track, cut)))
    if (track.kind !== 'video' || keySpans.has(track)) continue
    const cuts = keyFramesOf(film.movie, track.id)
    keySpans.set(track, await inSteps(cuts, (cut) => keySpanOf(film, track, cut)))
  }
}

type KeySpan = Span & { readonly cut: Cut }

const spans = new WeakMap<Track, readonly Span[]>()
const keySpans = new WeakMap<Track, readonly KeySpan[]>()

/** So many at a time, in few milliseconds. */
const STEP = 128

async function inSteps<T>(cuts: readonly Cut[], make: (cut: Cut) => T): Promise<T[]> {
  const made: T[] = []
  for (let at = 0; at < cuts.length; at += STEP) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve))
    made.push(...cuts.slice(at, at + STEP).map(make))
  }
  return made
}

function spanOf({ movie }: Film, track: Track, cut: Cut): Span & { readonly isEmpty: boolean } {
  const span = segmentSpan(movie, track.id, cut)
  // An index of clusters or fragments says where those of all tracks are, not where the samples of each: the cut says when.
  const isKnown = movie.container === 'mp4'
  if (isKnown && span.durationSeconds > 0) return { ...span, isEmpty: false }
  const { startTicks, timescale, durationSeconds } = cut
  return { startSeconds: startTicks / timescale, durationSeconds, octets: span.octets, isEmpty: isKnown }
}

function keepSpans(track: Track, all: readonly ReturnType<typeof spanOf>[]): readonly Span[] {
  const last = all.findLastIndex(({ isEmpty }) => !isEmpty)
  const kept = all.slice(0, last + 1)
  spans.set(track, kept)
  return kept
}

function keySpanOf({ movie }: Film, track: Track, cut: Cut): KeySpan {
  const { octets } = keySegment(movie, track.id, cut)
  const { startTicks, timescale, durationSeconds } = cut
  return { startSeconds: startTicks / timescale, durationSeconds, octets, cut }
}

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
