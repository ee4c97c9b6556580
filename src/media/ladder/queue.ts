import { basename } from 'node:path'
import { messageOf } from '#core/errors.ts'
import { type LocalFilm, lookAtFilm } from './film-facts.ts'
import { type LadderOptions, ladderOf, nameOfRendition, type Rendition } from './ladder.ts'
import { type MakeOptions, type Making, make } from './make.ts'
import { createPace } from './pace.ts'

/** What happens to films, in words that stay the same. */
export type LadderEvent = { readonly film: string } & (
  | { readonly event: 'refused'; readonly why: string }
  /** it is taken when less is left to do; said once */
  | { readonly event: 'later'; readonly leftSeconds: number }
  | { readonly event: 'planned'; readonly files: readonly string[] }
  | { readonly event: 'begun' | 'kept'; readonly file: string }
  /** a crash had cut it short */
  | { readonly event: 'resumed'; readonly file: string; readonly fromSeconds: number }
  | { readonly event: 'left' | 'failed'; readonly file: string; readonly why: string }
  | { readonly event: 'made'; readonly file: string; readonly octets: number; readonly seconds: number }
  | {
      readonly event: 'progress'
      readonly file: string
      /** 0 to 1 */
      readonly share: number
      /** seconds of film a second */
      readonly speed: number
      /** seconds until this file is done; null while nobody knows */
      readonly leftSeconds: number | null
    }
)

export type QueueOptions = Omit<MakeOptions, 'onProgress' | 'onResume'> &
  LadderOptions & {
    /** encoders at a time */
    readonly jobs: number
    /** Films are taken while what waits takes no longer than this, as far as is known; others later. */
    readonly lagSeconds: number
    readonly onEvent: (event: LadderEvent) => void
  }

/** Makes the renditions of films, one after the other. */
export type LadderQueue = {
  /** Take a film; resolves when it is known what will be made of it. False: the queue is full, ask again later. */
  add(path: string): Promise<boolean>
  /** Resolves when nothing is left to do. */
  empty(): Promise<void>
  /** renditions that wait */
  waiting(): number
  /** End what runs, forget what waits; resolves when no child is left. */
  stop(): Promise<void>
}

type Job = {
  readonly film: LocalFilm
  readonly rendition: Rendition
  readonly name: string
  /** place in the ladder of its film */
  readonly step: number
}

/** Renditions that wait, of all films that a command can name; more wait in their folder. */
const LIMIT_WAITING = 100_000

/** Create a queue; what nobody has yet goes before what makes it better: the first of all films before the second of any. */
export function createLadderQueue(options: QueueOptions): LadderQueue {
  const { onEvent, jobs, lagSeconds } = options
  const pace = createPace()
  const later = new Set<string>()
  const waiting: Job[] = []
  const running = new Map<Making, Promise<void>>()
  let isStopped = false
  let onEmpty: (() => void)[] = []

  function next(): void {
    while (running.size < jobs && waiting.length > 0) {
      const first = waiting.reduce((best, { step }, i) => (step < waiting[best]!.step ? i : best), 0)
      const [job] = waiting.splice(first, 1)
      begin(job!)
    }
    if (running.size > 0) return
    for (const resolve of onEmpty) resolve()
    onEmpty = []
  }

  function begin(job: Job): void {
    const { film, rendition, name } = job
    const about = { film: film.path, file: name }
    const startedAt = performance.now()
    let isBegun = false
    const making = make(film, rendition, {
      ...options,
      onResume: (fromSeconds) => onEvent({ event: 'resumed', ...about, fromSeconds }),
      onProgress({ seconds, speed }) {
        if (!isBegun) onEvent({ event: 'begun', ...about })
        isBegun = true
        const share = Math.min(1, seconds / film.durationSeconds)
        const leftSeconds = speed > 0 ? Math.max(0, film.durationSeconds - seconds) / speed : null
        onEvent({ event: 'progress', ...about, share, speed, leftSeconds })
      },
    })
    const done = making.done.then((made) => {
      running.delete(making)
      if (made.what === 'made') {
        const seconds = (performance.now() - startedAt) / 1000
        pace.did(job, seconds)
        onEvent({ event: 'made', ...about, octets: made.octets, seconds })
      } else if (made.what === 'kept') onEvent({ event: 'kept', ...about })
      else onEvent({ event: made.what, ...about, why: made.why })
      next()
    })
    running.set(making, done)
  }

  return {
    async add(path) {
      if (isStopped || waiting.length >= LIMIT_WAITING) return false
      const leftSeconds = pace.secondsFor(waiting) / jobs
      if (leftSeconds > lagSeconds) {
        if (!later.has(path) && later.size < LIMIT_WAITING)
          onEvent({ event: 'later', film: path, leftSeconds })
        later.add(path)
        return false
      }
      later.delete(path)
      const film = await lookAtFilm(path).catch((error: unknown) => {
        onEvent({ event: 'refused', film: path, why: messageOf(error) })
        return null
      })
      if (film === null) return true
      if (isStopped) return false
      const added = ladderOf(film, options).map((rendition, step) => {
        return { film, rendition, step, name: nameOfRendition(basename(path), rendition) }
      })
      onEvent({ event: 'planned', film: path, files: added.map(({ name }) => name) })
      waiting.push(...added)
      next()
      return true
    },
    empty: () => (running.size === 0 ? Promise.resolve() : new Promise((resolve) => onEmpty.push(resolve))),
    waiting: () => waiting.length,
    async stop() {
      isStopped = true
      waiting.length = 0
      for (const making of running.keys()) making.stop()
      await Promise.all(running.values())
    },
  }
}
