import { parseContentRange } from '#cache/wire/content-range.ts'
import { isMovie, movieRate } from '#files/wire/movie-rate.ts'
import type { Request, ResponseHead } from '../exchange.ts'

/** What is known of the bit rate of a response, in octets a second. */
export type MediaRate = {
  /** null when nobody knows */
  readonly rate: number | null
  /** finds it in the first octets of the content; null where that is of no use */
  readonly learn: ((start: Uint8Array) => number | null) | null
}

/**
 * Bit rates of films that come from elsewhere, such as a service: the first octets of a film say how long it lasts, when
 * it was made to be played while it arrives. Parts that are asked for later go by what the beginning has said.
 */
export class MediaRates {
  /** by URL and length */
  readonly #known = new Map<string, number>()

  of({ authority, target }: Request, head: ResponseHead): MediaRate {
    if (head.mediaRate !== undefined) return { rate: head.mediaRate(), learn: null }
    const place = placeOf(head)
    if (place === null || !isMovie(head.fields.get('content-type') ?? '')) return UNKNOWN
    const { first, totalOctets } = place
    const name = `${authority}${target} ${totalOctets}`
    const rate = this.#known.get(name) ?? null
    if (rate !== null || first > 0) return { rate, learn: null }
    return { rate, learn: (start) => this.#learn(name, start, totalOctets) }
  }

  #learn(name: string, start: Uint8Array, totalOctets: number): number | null {
    const rate = movieRate((at, octets) => start.subarray(at, at + octets), totalOctets)
    if (rate === null) return null
    if (this.#known.size >= LIMIT_KNOWN) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(name, rate)
    return rate
  }
}

const UNKNOWN: MediaRate = { rate: null, learn: null }
/** Films that are remembered. */
const LIMIT_KNOWN = 1000

/** Which octets of the film these are; null when its length is not known, or it was compressed. */
function placeOf({
  status,
  fields,
  lengthOctets,
}: ResponseHead): { first: number; totalOctets: number } | null {
  if (fields.get('content-encoding') !== undefined) return null
  if (status === 200) return lengthOctets === null ? null : { first: 0, totalOctets: lengthOctets }
  const part = status === 206 ? parseContentRange(fields.get('content-range') ?? '') : undefined
  return part === undefined || part.total === null ? null : { first: part.first, totalOctets: part.total }
}
