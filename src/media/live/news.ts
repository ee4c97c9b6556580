/** A track as encoders bring it and viewers are told of it. */
export type LiveTrack = {
  /** stands in URLs: `v0`, `a1` */
  readonly name: string
  readonly kind: 'video' | 'audio'
  /** of its sample entry: tracks of one format can follow each other in a film */
  readonly format: string
  /** RFC 6381, such as `avc1.64001f` */
  readonly codec: string
  /** ticks a second */
  readonly timescale: number
  /** BCP 47; `und` when the encoder does not say */
  readonly language: string
  /** pixels; 0 for audio */
  readonly width: number
  readonly height: number
  /** a second, of the first frames; 0 for audio */
  readonly frameRate: number
  /** 0 for video */
  readonly channels: number
  readonly sampleRate: number
  /** PART-TARGET of its playlist: no part is longer */
  readonly partSeconds: number
}

/** What one part, or several together, hold of one track. */
export type Stretch = {
  /** decode time of the first sample, in ticks of the track; the same clock for the whole broadcast */
  readonly at: number
  readonly ticks: number
  /** 0: the encoder sent nothing of this track meanwhile */
  readonly octets: number
}

/**
 * What happens to a broadcast, in the order in which it happens: told to all threads and kept in its journal.
 * Who applies all of it knows all there is to know.
 */
export type News =
  | {
      readonly kind: 'begun'
      readonly atMs: number
      /** whole seconds; no segment is half a second longer */
      readonly targetSeconds: number
    }
  /** an encoder begins; a segment begins with it */
  | {
      readonly kind: 'encoder'
      readonly tracks: readonly LiveTrack[]
      /** number of the initialisation segments, from 1 */
      readonly init: number
      /** when its first sample came */
      readonly atMs: number
      /** where its first sample stands in the time of the broadcast */
      readonly startSeconds: number
    }
  | {
      readonly kind: 'part'
      /** begins with a key frame */
      readonly independent: boolean
      /** the segment ends with it */
      readonly closes: boolean
      /** of each track, in their order */
      readonly tracks: readonly Stretch[]
      /** it is the first one that is told of a broadcast, and stands behind a discontinuity */
      readonly afterBreak?: boolean
      /** the whole segment came at once, or its parts are no longer told apart */
      readonly whole?: boolean
    }
  /** the encoder is gone; the segment ends with what there is of it */
  | { readonly kind: 'lost'; readonly atMs: number; readonly why: string }
  | { readonly kind: 'ended'; readonly atMs: number }
  /** so many segments at the beginning are gone; the next is `msn`, after so many discontinuities */
  | { readonly kind: 'dropped'; readonly msn: number; readonly discontinuities: number }

/** A broadcast as it is handed to a thread that has not followed it. */
export type SavedBroadcast = { readonly stream: string; readonly id: string; readonly news: readonly News[] }
