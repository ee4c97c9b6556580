import type { TrackDefaults } from '#media/wire/movie-box.ts'
import type { Samples } from '#media/wire/samples.ts'

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
  /** of `fragments` it is known where they begin: what is in them is read when a segment is laid, as of Matroska */
  readonly container: 'mp4' | 'fragments' | 'matroska'
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
  /** RFC 6381 and its registry: avc1.640028, hvc1.…, av01.…, vp09.…, mp4a.40.2, opus, ac-3, ec-3, flac; of text tx3g, wvtt, stpp, S_TEXT/…. */
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
  /** The nine numbers that turn the picture (ISO 14496-12 §8.3.2.3): a phone's film stands on its side in the file. */
  readonly matrix: Uint8Array
  /** Presentation time = decode time + composition offset + this: what edit lists and late beginnings come to. */
  readonly offsetTicks: number
  readonly samples: Samples
  /** Where the film's samples are fragments: how those are read. */
  readonly fragments?: {
    readonly defaults: TrackDefaults
    /** decode time of the first sample, as the fragments count */
    readonly startTicks: number
    /** added to composition offsets, so that none is below 0 */
    readonly raiseTicks: number
  }
  /** Where the text of a Matroska file stands: its samples have no octets. */
  readonly blocks?: {
    readonly number: number
    readonly isDeflated: boolean
    /** of each sample: offset of its cluster in the file, and its own in the data of the cluster */
    readonly clusters: Float64Array
    readonly places: Float64Array
  }
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
