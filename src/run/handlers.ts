import { resolve } from 'node:path'
import { createGuard, type GuardOptions } from '#access/guard.ts'
import { createLimiters, type LimiterOptions } from '#access/limiters.ts'
import { limitMemory } from '#access/memory-budget.ts'
import { createPasswordVerifier } from '#access/password.ts'
import { createBucket } from '#bucket/serve.ts'
import type { Apply } from '#bucket/store/change.ts'
import type { CacheOptions } from '#cache/cache.ts'
import type { CacheCounts } from '#cache/counts.ts'
import { createCache } from '#cache/handler.ts'
import type { CacheStore } from '#cache/store/store.ts'
import type { Verdicts } from '#cache/verdicts.ts'
import type { Log } from '#core/log.ts'
import { createDnsOverHttps } from '#dns/over-https.ts'
import type { DnsServer } from '#dns/server.ts'
import { createFiles } from '#files/serve.ts'
import type { Handler } from '#http/exchange.ts'
import { createForward, type ForwardOptions } from '#http/forward.ts'
import type { HostPlan, HttpPlan, RoutePlan } from '#http/plan.ts'
import { createRedirect } from '#http/redirect.ts'
import { createRespond } from '#http/respond.ts'
import { compressResponses, transformRequests, transformResponses } from '#http/transform/transformed.ts'
import type { FilmMemory } from '#media/film-memory.ts'
import { createLive } from '#media/live/serve.ts'
import type { Stages } from '#media/live/stages.ts'
import type { StreamPlan } from '#media/plan.ts'
import type { Sessions } from '#media/sessions.ts'
import { createTurns } from '#media/turns.ts'
import { isPlayed } from '#media/wire/media-path.ts'
import { streamed } from './streams.ts'

/** What one thread puts between its connections and what answers, in this order from the outside. */
export type Handlers = {
  /** Put what holds for all hosts together before the router. */
  limit(plan: HttpPlan, router: Handler): Handler
  /** What refuses a path that no route of a host has, with the pages of the host. */
  refuse(host: HostPlan, refuse: Handler): Handler
  /** What answers a route: its pages, rate, guard, streaming, cache, steps for requests, and at last its action. */
  answer(route: RoutePlan): Handler
}

export type HandlersOptions = LimiterOptions & {
  /** of the file: relative paths start here */
  readonly folder: string
  readonly worker: number
  readonly forwarding: ForwardOptions
  readonly dns: DnsServer
  /** Ask the writer of a bucket for a change. */
  readonly apply: Apply
  readonly stages: Stages
  readonly sessions: Sessions
  readonly filmMemory: FilmMemory
  /** null until a Plan has a cache */
  readonly store: () => CacheStore | null
  readonly cacheCounts: CacheCounts
  readonly verdicts: Verdicts
  readonly log: Log
}

/** Reads of films at a time on one thread; each holds a few MiB. */
const READS = 32

/** @example const router = createRouter(plan, handlers.answer, previous, handlers.refuse) */
export function createHandlers(options: HandlersOptions): Handlers {
  const { folder, isTrusted, now, log, sessions, filmMemory } = options
  const limiters = createLimiters(options)
  const guarding: GuardOptions = { isTrusted, passwords: createPasswordVerifier(now), now, log }
  const streaming = { folder, monotonic: now, sessions, filmMemory, turns: createTurns(READS) }

  function answer(route: RoutePlan): Handler {
    const { access, rate, transform } = route
    const store = options.store()
    const { cacheCounts: counts, verdicts } = options
    const cache = store && { store, now: Date.now, log, counts, verdicts }
    const plain = cached(route, cache, transformRequests(actOn(route, options), transform))
    const inner = cache === null ? plain : streamed(route, plain, { ...streaming, cache })
    const guarded = access === undefined ? inner : createGuard(access, guarding, inner)
    const limited = rate === undefined ? guarded : limiters.limit(rate, guarded)
    // Outermost, so that refusals get the owner's pages too.
    return transformResponses(limited, transform, { folder, log })
  }

  return {
    limit({ clientRate, memoryOctets }, router) {
      const rated = clientRate === undefined ? router : limiters.limit(clientRate, router)
      const resident = (): number => process.memoryUsage.rss()
      return memoryOctets === undefined ? rated : limitMemory(memoryOctets, { resident, now }, rated)
    },
    refuse: ({ transform }, refuse) => transformResponses(refuse, transform, { folder, log }),
    answer,
  }
}

/** What a route keeps is what passed its guard, compressed already where the route says so. */
function cached({ cache, transform }: RoutePlan, options: CacheOptions | null, handler: Handler): Handler {
  if (cache === undefined || options === null) return handler
  return createCache(cache, options, compressResponses(handler, transform))
}

function actOn({ action, stream }: RoutePlan, { forwarding, dns, ...options }: HandlersOptions): Handler {
  switch (action.kind) {
    case 'service':
      return createForward(action, forwarding)
    case 'files':
      return createFiles(
        { ...action, root: resolve(options.folder, action.root) },
        { log: options.log, pageOf: (name) => pageOf(stream, name) },
      )
    case 'bucket':
      return createBucket(action, { ...options, now: Date.now })
    case 'live':
      return createLive(action, { ...options, stageOf: options.stages.stageOf })
    case 'redirect':
      return createRedirect(action)
    case 'respond':
      return createRespond(action)
    case 'dns':
      return createDnsOverHttps(dns.answerHttps)
  }
}

/** Films that are streamed have a page each; where URLs are signed, a link without a signature would lead nowhere. */
function pageOf(stream: StreamPlan | undefined, name: string): string | null {
  const hasPages = stream !== undefined && stream.player !== null && stream.signKeys.length === 0
  return hasPages && isPlayed(name) ? 'play' : null
}
