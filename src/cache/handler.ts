import type { Exchange, Handler, Request } from '#http/exchange.ts'
import { respondPage } from '#http/wire/page.ts'
import { watchEnd } from '#http/wire/watch-end.ts'
import type { Cache, CacheOptions } from './cache.ts'
import { forwardStatus } from './cache-status.ts'
import { fetchFor } from './fetch.ts'
import { keyOf } from './key.ts'
import { respondParts, type StoredPart } from './parts.ts'
import { passAround, passBy } from './pass.ts'
import type { CachePlan } from './plan.ts'
import { readGrowing } from './rejoin.ts'
import { isRemembered } from './remembered.ts'
import { isConditional, respondStored } from './respond.ts'
import { type Held, type ReuseReason, reuse } from './reuse.ts'
import { select } from './select.ts'
import { mayBeSliced, respondSlices } from './slices.ts'
import type { CachedObject } from './store/store.ts'
import { cookieOf } from './wire/cookie.ts'

/** How long a request waits for the one that fetches the same; then it asks by itself. */
const FOLLOW_MS = 30_000
/** After so many waits in vain a request goes to the origin by itself. */
const LIMIT_FOLLOWS = 2

/**
 * Put a cache before the handler of a service (RFC 9111).
 *
 * @example createCache(route.cache, { store, now: Date.now, log }, createForward(…))
 */
export function createCache(plan: CachePlan, options: CacheOptions, origin: Handler): Handler {
  const cache: Cache = { ...options, plan, origin, remembered: new Map() }
  return (exchange) => {
    const { request } = exchange
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || isBypassed(plan, request)) {
      cache.counts.passed++
      return isRead ? passBy(cache, exchange, 'bypass') : passAround(cache, exchange)
    }
    lookUp(cache, exchange, keyOf(plan.key, request), 0)
  }
}

/** Answer from the store, or see to it that somebody asks the origin. */
function lookUp(cache: Cache, exchange: Exchange, key: string, follows: number): void {
  const { request } = exchange
  const { store, plan } = cache
  const nowMs = cache.now()
  // Between finding and reading, an object may make room for another.
  const lookUpAgain = (): void => {
    if (follows < LIMIT_FOLLOWS) lookUp(cache, exchange, key, follows + 1)
    else {
      cache.counts.misses++
      passBy(cache, exchange, 'nothing stored')
    }
  }
  const { object, held, parts } = select(store.find(key), request)
  if (parts.length > 0 && request.method === 'GET') return lookUpParts(cache, exchange, key, parts)
  const { action, reason } = reuse(request, held, nowMs)
  switch (action) {
    case 'serve':
    case 'refresh': {
      exchange.note.answeredBy = 'cache'
      const told = follows === 0 ? null : forwardStatus({ why: 'nothing stored', collapsed: true })
      const read = readGrowing(cache, request, object!, held.stored!)
      const answer = { reason, status: told, isTold: plan.status, read }
      const octets = respondStored(exchange, object!, held.stored!, answer, nowMs)
      if (octets === null) return lookUpAgain()
      cache.counts.savedOctets += octets
      cache.counts[reason !== 'fresh' ? 'stale' : follows > 0 ? 'collapsed' : 'hits']++
      if (action === 'refresh') refresh(cache, request, key, object!, held)
      return
    }
    case 'refuse':
      return refuse(cache, exchange)
    case 'validate':
    case 'fetch':
      forward(cache, exchange, { key, object, held, reason, follows })
  }
}

/** Answer from parts as long as they are fresh; else from what the origin says now. */
function lookUpParts(cache: Cache, exchange: Exchange, key: string, parts: readonly StoredPart[]): void {
  const { request } = exchange
  const fresh = parts.filter(({ object, stored }) => {
    return (
      reuse(request, { stored, isStale: object.isStale, missing: 'part missing' }, cache.now()).action ===
      'serve'
    )
  })
  const held = { stored: null, isStale: false, missing: 'part missing' } as const
  const { action, reason } = reuse(request, held, cache.now())
  const fetch = (): void =>
    action === 'refuse'
      ? refuse(cache, exchange)
      : forward(cache, exchange, { key, object: null, held, reason, follows: LIMIT_FOLLOWS })
  if (fresh.length === 0 || isConditional(request.fields)) return fetch()
  const told = { reason: 'fresh', status: null, isTold: cache.plan.status } as const
  exchange.note.answeredBy = 'cache'
  const end = watchEnd(exchange)
  void respondParts(cache, exchange, fresh, told).then((answered) => {
    if (answered !== null) {
      cache.counts[answered.isFetched ? 'misses' : 'hits']++
      cache.counts.savedOctets += answered.octets
    } else if (!end.isOver) fetch()
  })
}

type Lookup = {
  readonly key: string
  readonly object: CachedObject | null
  readonly held: Held
  readonly reason: ReuseReason
  readonly follows: number
}

function forward(cache: Cache, exchange: Exchange, { key, object, held, reason, follows }: Lookup): void {
  const { request } = exchange
  if (request.method === 'HEAD' || isRemembered(cache, key, 'too large')) {
    cache.counts.misses++
    return passBy(cache, exchange, reason)
  }
  if (held.stored === null && follows < LIMIT_FOLLOWS && mayBeSliced(cache, key)) {
    void respondSlices(cache, exchange, key).catch(() => exchange.abort('origin broke off'))
    return
  }
  const isKnownToPass = isRemembered(cache, key, 'not kept')
  const what = { key, object, stored: held.stored, reason, isCollapsed: follows > 0, isPassed: isKnownToPass }
  // What came last was not kept: the next one may be, but nobody waits for that.
  // Who asks for something newer than what is stored would get just that by waiting for somebody else.
  if (reason.startsWith('request:') || follows >= LIMIT_FOLLOWS || isKnownToPass)
    return fetchFor(cache, request, exchange, what, null)
  const lead = cache.store.lead(key)
  // Between looking and leading, somebody else's fetch may have ended.
  if (lead !== null && !isAnswered(cache, request, key)) return fetchFor(cache, request, exchange, what, lead)
  lead?.done()
  const end = watchEnd(exchange)
  void cache.store.follow(key, FOLLOW_MS).then(() => {
    if (!end.isOver) lookUp(cache, exchange, key, follows + 1)
  })
}

function isAnswered({ store, now }: Cache, request: Request, key: string): boolean {
  return reuse(request, select(store.find(key), request).held, now()).action === 'serve'
}

/** RFC 5861 §3: one request in the background, however many are served what is stale meanwhile. */
function refresh(cache: Cache, request: Request, key: string, object: CachedObject, { stored }: Held): void {
  const lead = cache.store.lead(key)
  if (lead === null) return
  const what = { key, object, stored, reason: 'stale', isCollapsed: false, isPassed: false } as const
  fetchFor(cache, { ...request, method: 'GET' }, null, what, lead)
}

/** RFC 9111 §5.2.1.7. */
function refuse({ plan: { status }, counts }: Cache, exchange: Exchange): void {
  counts.misses++
  const reason = 'request: only-if-cached'
  exchange.note.answeredBy = 'cache'
  exchange.note.reason = reason
  const detail = 'Nothing that is stored here may be used for this request, and it asks for nothing else.'
  const fields: [string, string][] = status === false ? [] : [['Cache-Status', `portico; detail="${reason}"`]]
  respondPage(exchange, { status: 504, detail, fault: 'client', fields })
}

/**
 * Requests that concern one client alone, that have content, or that the file names, pass by; so do those with
 * conditions that only the origin can answer (RFC 9111 §4.3.2).
 */
function isBypassed({ bypass }: CachePlan, request: Request): boolean {
  const { fields } = request
  if (request.body !== null || request.upgrade !== undefined || request.authority === '') return true
  if (fields.get('if-match') !== undefined || fields.get('if-unmodified-since') !== undefined) return true
  for (const name of bypass.fields) if (fields.get(name) !== undefined) return true
  for (const name of bypass.cookies) if (cookieOf(fields, name) !== undefined) return true
  return false
}
