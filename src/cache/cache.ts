import type { Log } from '#core/log.ts'
import type { Handler } from '#http/exchange.ts'
import type { CacheCounts } from './counts.ts'
import type { CachePlan } from './plan.ts'
import type { CacheStore } from './store/store.ts'
import type { Verdicts } from './verdicts.ts'

/** What the cache of a route works with. */
export type CacheOptions = {
  readonly store: CacheStore
  /** milliseconds since 1970 */
  readonly now: () => number
  readonly log: Log
  readonly counts: CacheCounts
  /** of the whole worker */
  readonly verdicts: Verdicts
}

/** One route's cache. */
export type Cache = CacheOptions & {
  readonly plan: CachePlan
  /** the handler of the origin */
  readonly origin: Handler
  /** what `remembered.ts` knows of keys, and until when */
  readonly remembered: Map<string, number>
}
