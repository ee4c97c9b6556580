import type { Sample } from './sample.ts'

/** A track as it comes from an encoder. */
export type InputTrack = {
  readonly kind: 'video' | 'audio'
  readonly codec: string
  /** ticks a second */
  readonly timescale: number
  readonly language: string
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly sampleRate: number
  /** its sample entry, as CMAF writes it (ISO 14496-12 §8.5.2) */
  readonly entry: Uint8Array
}

/** What an input has brought: first its tracks, once; then samples of them, in decoding order of each. */
export type Brought =
  | { readonly kind: 'tracks'; readonly tracks: readonly InputTrack[] }
  | { readonly kind: 'sample'; readonly track: number; readonly sample: Sample }

/** Takes a container apart as its octets come. */
export type Input = {
  /**
   * Take octets, which are copied where they are kept.
   *
   * @returns what is complete with them
   * @throws {MediaFault} when they cannot be read
   */
  take(octets: Uint8Array): Brought[]
  /** What comes next begins anew with a whole box or packet: of what was cut off nothing is left. */
  restart(): void
  /** What was held back until the octets end. */
  finish(): Brought[]
}
