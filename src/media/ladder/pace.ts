import type { Rendition } from './ladder.ts'

/** A rendition of a film, as far as it says how long making it takes. */
type Work = { readonly rendition: Rendition; readonly film: { readonly durationSeconds: number } }

/** How long renditions take on this machine, by those that were made. */
export type Pace = {
  did(work: Work, seconds: number): void
  /** seconds that these will take, one after the other; 0 while nothing has been made */
  secondsFor(works: readonly Work[]): number
}

/** Taller ones take longer, and a storyboard next to nothing: each kind has a pace of its own. */
export function createPace(): Pace {
  const sums = new Map<string, { filmSeconds: number; seconds: number }>()
  const all = { filmSeconds: 0, seconds: 0 }
  const kindOf = ({ rendition }: Work): string =>
    rendition.kind === 'video' ? `${rendition.height}` : rendition.kind
  return {
    did(work, seconds) {
      const sum = sums.get(kindOf(work)) ?? { filmSeconds: 0, seconds: 0 }
      sums.set(kindOf(work), sum)
      for (const each of [sum, all]) {
        each.filmSeconds += work.film.durationSeconds
        each.seconds += seconds
      }
    },
    secondsFor(works) {
      return works.reduce((total, work) => {
        const { filmSeconds, seconds } = sums.get(kindOf(work)) ?? all
        return total + (filmSeconds === 0 ? 0 : (work.film.durationSeconds * seconds) / filmSeconds)
      }, 0)
    },
  }
}
