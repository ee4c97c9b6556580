import type { Samples } from './wire/samples.ts'

/** Octets `from` up to, not including, `from + octets`. */
export type OctetRange = { readonly from: number; readonly octets: number }

/** Where a film's octets come from: read by range, never whole. */
export type MediaFile = {
  readonly octets: number
  /** Changes when the content does. */
  readonly tag: string
  /** Exactly the octets of `range`; may be asked several at once. Rejects with MediaFault when they cannot be had. */
  read(range: OctetRange): Promise<Uint8Array>
}

/**
 * What the index of a film says: plain data with typed arrays, made by openMovie(), kept by encodeMovie().
 *
 * All times of a movie begin at 0, where its earliest picture (or sound) is shown.
 */
export type Movie = {
  readonly container: 'mp4' | 'matroska'
  /** Tracks that can be offered, in the file's order; at least one of video or audio. */
  readonly tracks: readonly Track[]
  /** Tracks that cannot: encrypted, or of a codec without a place in CMAF. */
  readonly refused: readonly RefusedTrack[]
  readonly durationSeconds: number
  /** The length and tag of the file it was made from. */
  readonly octets: number
  readonly tag: string
}

export type RefusedTrack = { readonly id: number; readonly reason: string }

/** One elementary stream: what a playlist says of it, and where its samples lie. */
export type Track = {
  readonly id: number
  readonly kind: 'video' | 'audio' | 'text'
  /** RFC 6381 and its registry: avc1.640028, hvc1.…, av01.…, vp09.…, mp4a.40.2, opus, ac-3, ec-3, flac. */
  readonly codec: string
  /** Ticks a second of all times of this track. */
  readonly timescale: number
  /** BCP 47; `und` when the file does not say. */
  readonly language: string
  /** What the file calls it, or ''. */
  readonly name: string
  /** Pixels as shown; 0 for audio. */
  readonly width: number
  readonly height: number
  /** Mean frames a second; 0 for audio. */
  readonly frameRate: number
  /** 0 for video. */
  readonly channels: number
  readonly sampleRate: number
  /** Octets of all samples. */
  readonly octets: number
  readonly durationSeconds: number
  /** Sample entries as CMAF has them (ISO 14496-12 §8.5.2), one at least. */
  readonly entries: readonly Uint8Array[]
  /** Ticks added to a decode time: an empty edit, or what moves the movie's beginning to 0. */
  readonly delayTicks: number
  /** Ticks taken from a composition time: where the edit list begins in the media. For audio this is the priming. */
  readonly skipTicks: number
  readonly samples: Samples
}

/** A stretch of time of every track; segments of all tracks and renditions begin together. */
export type Cut = {
  readonly index: number
  /** Presentation time of its beginning, in ticks of `timescale`. */
  readonly startTicks: number
  /** Where the next one begins; undefined for the last, which takes all that is left. */
  readonly endTicks: number | undefined
  readonly timescale: number
  readonly durationSeconds: number
}

/** What a segment is made of: octets that are known, and ranges of the film's file, in this order. */
export type SegmentLayout = {
  readonly pieces: readonly (Uint8Array | OctetRange)[]
  /** The sum of all pieces: Content-Length, before anything is read. */
  readonly octets: number
}

/** When a track's segment really begins and how long it is: audio is cut at the sample nearest to the cut. */
export type Span = {
  readonly startSeconds: number
  readonly durationSeconds: number
  readonly octets: number
}

// What play calls (each in the file of its verb):
// open.ts       openMovie(file: MediaFile, limits?: OpenLimits): Promise<Movie>            throws MediaFault (wire/fault.ts: .status 422 | 502, .message)
// index-octets.ts encodeMovie(movie): Uint8Array · decodeMovie(octets): Movie | undefined  for the disk; undefined when of another version
// cuts.ts       cutsOf(movie, targetSeconds, alongside?: readonly Movie[]): readonly Cut[] pure; cuts are times only: cuts of one movie serve others
// init.ts       initSegment(movie, trackId): Uint8Array
// segment.ts    mediaSegment(movie, trackId, cut): SegmentLayout                           pure, MP4 only
//               segmentSpan(movie, trackId, cut): Span                                     times for EXTINF, octets for BANDWIDTH, without heads
// key-frames.ts keyFramesOf(movie, trackId): readonly Cut[] · keySegment(movie, trackId, index): SegmentLayout
// gather.ts     readSegment(file, layout, limits?): AsyncGenerator<Uint8Array>             coalesced reads of ≤ a few MiB
// lay.ts        laySegment(file, movie, trackId, cut): Promise<SegmentLayout>              any container: Matroska is read to know
// transport.ts  transportSegment(file, movie, trackIds, cut): Promise<Uint8Array>          MPEG-TS
