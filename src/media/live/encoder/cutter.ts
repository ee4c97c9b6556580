import type { Sample } from '#media/live/wire/sample.ts'

/** What the cutter needs to know of a track; the first one decides where parts and segments end. */
export type CutTrack = { readonly timescale: number; readonly isVideo: boolean }

export type CutRules = {
  /** whole seconds: no segment is half a second longer */
  readonly targetSeconds: number
  /** no part of the first track is longer */
  readonly partSeconds: number
  readonly bufferOctets: number
  /** how far the first track may be ahead of another before a part goes without that one */
  readonly lateSeconds: number
}

/** A part of all tracks; a track of which nothing came has no samples. */
export type CutPart = {
  readonly independent: boolean
  readonly closes: boolean
  readonly tracks: readonly (readonly Sample[])[]
}

/** The encoder sends what cannot be cut. */
export class CutFault extends Error {}

type Boundary = { readonly seconds: number; readonly closes: boolean }

/** Decode times that jump further are another clock: the encoder has to begin anew. */
const JUMP_SECONDS = 10
const EPSILON = 1e-6

/**
 * Cuts samples of several tracks into parts and segments.
 *
 * A segment ends at the last key frame before the target duration, as far as the distance of key frames so far lets
 * guess; when there is none, it is cut anyway. A part is complete when all tracks have come so far.
 */
export class Cutter {
  readonly #rules: CutRules
  readonly #tracks: readonly CutTrack[]
  /** samples that belong to no part yet, of each track */
  readonly #pending: Sample[][]
  /** decode time of the newest sample, in ticks of each track */
  readonly #newest: number[]
  readonly #boundaries: Boundary[] = []
  #pendingOctets = 0
  #isBegun = false
  #beginning = 0
  #segmentStart = 0
  #partStart = 0
  #lastKey = Number.NaN
  #keyDistance = 0

  constructor(tracks: readonly CutTrack[], rules: CutRules) {
    this.#tracks = tracks
    this.#rules = rules
    this.#pending = tracks.map(() => [])
    this.#newest = tracks.map(() => Number.NaN)
  }

  /**
   * Take a sample.
   *
   * @param track its number
   * @returns the parts that are complete with it
   * @throws {CutFault} when the encoder cannot be followed
   */
  take(track: number, sample: Sample): CutPart[] {
    const pending = this.#pending[track]!
    const { timescale } = this.#tracks[track]!
    const jump = (sample.at - this.#newest[track]!) / timescale
    this.#newest[track] = sample.at
    if (jump < 0 || jump > JUMP_SECONDS) {
      throw new CutFault(`decode times of a track jump by ${jump.toFixed(1)} s`)
    }
    const seconds = sample.at / timescale
    if (track === 0) this.#lead(sample, seconds)
    if (!this.#isBegun || seconds < this.#beginning - EPSILON) return []
    pending.push(sample)
    this.#pendingOctets += sample.octets.length
    if (this.#pendingOctets > this.#rules.bufferOctets) {
      throw new CutFault(`more than ${this.#rules.bufferOctets} octets wait for the other tracks to come`)
    }
    return this.#complete()
  }

  /** What is left, at the end of the encoder. */
  finish(): CutPart[] {
    const parts = this.#boundaries.splice(0).map((boundary) => this.#cut(boundary))
    if (this.#pending[0]!.length > 0) parts.push(this.#cut({ seconds: Infinity, closes: true }))
    return parts
  }

  /** A sample of the first track may end a part. */
  #lead({ isKey, ticks }: Sample, seconds: number): void {
    if (!this.#isBegun) {
      if (!isKey) return
      this.#isBegun = true
      this.#beginning = this.#segmentStart = this.#partStart = seconds
    } else {
      const end = seconds + ticks / this.#tracks[0]!.timescale
      const isSegment = this.#endsSegment(isKey, seconds, end)
      if (isSegment || end - this.#partStart > this.#rules.partSeconds + EPSILON) {
        this.#boundaries.push({ seconds, closes: isSegment })
        this.#partStart = seconds
        if (isSegment) this.#segmentStart = seconds
      }
    }
    if (isKey) {
      this.#keyDistance = Math.max(this.#keyDistance, seconds - this.#lastKey || 0)
      this.#lastKey = seconds
    }
  }

  #endsSegment(isKey: boolean, seconds: number, end: number): boolean {
    const { targetSeconds } = this.#rules
    const longest = targetSeconds + 0.49
    if (end - this.#segmentStart > longest) return true
    if (!isKey || seconds <= this.#segmentStart) return false
    // Each sample of sound is a key: nothing is gained by looking ahead.
    const distance = this.#tracks[0]!.isVideo ? Math.max(this.#keyDistance, seconds - this.#lastKey) : 0
    const next = seconds + distance - this.#segmentStart
    return seconds - this.#segmentStart >= targetSeconds - EPSILON || next > longest
  }

  /** Cut off the parts that all tracks have reached the end of. */
  #complete(): CutPart[] {
    const parts: CutPart[] = []
    while (this.#boundaries.length > 0 && this.#isReached(this.#boundaries[0]!.seconds)) {
      parts.push(this.#cut(this.#boundaries.shift()!))
    }
    return parts
  }

  #isReached(seconds: number): boolean {
    const lead = this.#pending[0]!.at(-1)
    const isLate =
      lead !== undefined && lead.at / this.#tracks[0]!.timescale - seconds > this.#rules.lateSeconds
    return (
      isLate ||
      this.#tracks.every(({ timescale }, track) => {
        const last = this.#pending[track]!.at(-1)
        return last !== undefined && (last.at + last.ticks / 2) / timescale >= seconds
      })
    )
  }

  /** A sample goes to the side of the boundary that most of it lies on. */
  #cut({ seconds, closes }: Boundary): CutPart {
    const tracks = this.#pending.map((pending, track) => {
      const { timescale } = this.#tracks[track]!
      const share = track === 0 ? 0 : 0.5
      const count = pending.findIndex(
        ({ at, ticks }) => (at + share * ticks) / timescale >= seconds - EPSILON,
      )
      return pending.splice(0, count === -1 ? pending.length : count)
    })
    for (const samples of tracks) for (const { octets } of samples) this.#pendingOctets -= octets.length
    return { independent: tracks[0]![0]?.isKey ?? false, closes, tracks }
  }
}
