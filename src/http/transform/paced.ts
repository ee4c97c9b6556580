import type { EndReason, Source } from '../exchange.ts'
import type { Fields } from '../wire/fields.ts'
import { sourceOf } from '../wire/octets-source.ts'
import { BegunSource } from './begun.ts'
import { MediaRates } from './media-rates.ts'
import { Passing, type Step } from './passing.ts'
import type { PacePlan } from './plan.ts'

/** Send responses no faster than the route says; what goes at once is not touched. */
export function pace(plan: PacePlan): Step {
  const { afterOctets } = plan
  const rates = new MediaRates()
  return (exchange) =>
    new Passing(exchange, exchange.request, (head, body) => {
      if (body === null) return { head, body }
      const source = body instanceof Uint8Array ? sourceOf(body) : body
      const isTimed = 'timesMedia' in plan
      const timesMedia = isTimed ? plan.timesMedia : 1
      const { rate, learn } = isTimed
        ? rates.of(exchange.request, head)
        : { rate: plan.octetsPerSecond, learn: null }
      const paceOf = (octetsPerSecond: number): Pace => ({
        octetsPerSecond: octetsPerSecond * timesMedia,
        afterOctets,
      })
      if (learn !== null) {
        const judge = (start: Uint8Array, whole: Source): Source => {
          const learned = learn(start)
          return learned === null ? whole : new PacedSource(whole, paceOf(learned))
        }
        return { head, body: new BegunSource(source, judge) }
      }
      // What is no film, or does not say how long it lasts, goes as fast as its client takes it.
      if (rate === null) return { head, body }
      const paced = new PacedSource(source, paceOf(rate))
      const isAtOnce = body instanceof Uint8Array && body.length <= paced.atOnceOctets
      return { head, body: isAtOnce ? body : paced }
    })
}

/** `afterOctets` at once, then so many a second. */
type Pace = { readonly octetsPerSecond: number; readonly afterOctets: number }

/**
 * A body that gives no more octets than its rate allows. What a client does not take in time is not made up for, but for
 * the burst and what a second brings.
 */
export class PacedSource implements Source {
  /** what goes before the rate holds */
  readonly atOnceOctets: number
  readonly #source: Source
  readonly #plan: Pace
  /** octets that may be given, at `#atMs` */
  #credit: number
  #atMs = Number.NaN
  #timer: NodeJS.Timeout | undefined

  constructor(source: Source, plan: Pace) {
    this.#source = source
    this.#plan = plan
    this.atOnceOctets = Math.max(plan.afterOctets, turnOctets(plan))
    this.#credit = this.atOnceOctets
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const { octetsPerSecond } = this.#plan
    this.#earn(performance.now())
    const worthwhile = Math.min(limitOctets, turnOctets(this.#plan))
    if (this.#credit < worthwhile) {
      const waitMs = ((worthwhile - this.#credit) / octetsPerSecond) * 1000
      return new Promise((resolve) => {
        this.#timer = setTimeout(() => resolve(this.read(limitOctets)), Math.ceil(waitMs))
      })
    }
    const octets = this.#source.read(Math.min(limitOctets, Math.floor(this.#credit)))
    return octets instanceof Promise ? octets.then((arrived) => this.#spend(arrived)) : this.#spend(octets)
  }

  cancel(reason: EndReason): void {
    clearTimeout(this.#timer)
    this.#source.cancel(reason)
  }

  aheadOctets(): number {
    return this.#source.aheadOctets?.() ?? 0
  }

  trailers(): Fields | undefined {
    return this.#source.trailers?.()
  }

  #earn(nowMs: number): void {
    const { octetsPerSecond, afterOctets } = this.#plan
    const earned = Number.isNaN(this.#atMs) ? 0 : ((nowMs - this.#atMs) * octetsPerSecond) / 1000
    this.#credit = Math.min(this.#credit + earned, Math.max(afterOctets, octetsPerSecond))
    this.#atMs = nowMs
  }

  #spend(octets: Uint8Array | null): Uint8Array | null {
    this.#credit -= octets?.length ?? 0
    return octets
  }
}

/** How often a response goes on: seldom enough to cost little, often enough that a film does not stutter. */
const TURN_MS = 50

function turnOctets({ octetsPerSecond }: Pace): number {
  return (octetsPerSecond * TURN_MS) / 1000
}
