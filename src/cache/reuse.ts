import type { Request } from '#http/exchange.ts'
import { ageMs, type Stored } from './stored.ts'
import { type Directives, deltaSeconds, parseCacheControl } from './wire/cache-control.ts'

/** Why a request is answered as it is; the same words in Cache-Status, log and explain. */
export type ReuseReason =
  | 'fresh'
  | 'stale: max-stale of the request'
  | 'stale: within stale-while-revalidate'
  | 'stale: within stale-if-error'
  | 'stale: the origin is down'
  | 'stale'
  | 'no-cache'
  | 'request: no-cache'
  | 'request: max-age'
  | 'request: min-fresh'
  | 'request: only-if-cached'
  | 'vary mismatch'
  | 'part missing'
  | 'nothing stored'

export type Reuse = {
  /** `refresh`: serve it, and validate it in the background. `refuse`: 504 */
  readonly action: 'serve' | 'refresh' | 'validate' | 'fetch' | 'refuse'
  readonly reason: ReuseReason
}

/** What the cache holds for a request. */
export type Held = {
  /** the response that the request selects; null when there is none */
  readonly stored: Stored | null
  /** softly purged: no longer fresh */
  readonly isStale: boolean
  /** why nothing is selected */
  readonly missing: 'nothing stored' | 'vary mismatch' | 'part missing'
}

const FRESH: Reuse = { action: 'serve', reason: 'fresh' }

/**
 * Decide how a request is answered from what is stored (RFC 9111 §4).
 *
 * @param nowMs milliseconds since 1970
 */
export function reuse(
  request: Pick<Request, 'fields'>,
  { stored, isStale, missing }: Held,
  nowMs: number,
): Reuse {
  const asked = requestDirectives(request)
  const isFresh = stored !== null && !isStale && !stored.noCache && nowMs < stored.freshUntilMs
  if (isFresh && asked === NONE) return FRESH
  if (stored === null) return forward('fetch', missing, asked)
  const unmet = unmetWish(asked, stored, nowMs)
  if (unmet !== undefined) return forward('validate', unmet, asked)
  if (isFresh) return FRESH
  if (stored.noCache) return forward('validate', 'no-cache', asked)
  const staleMs = Math.max(0, nowMs - stored.freshUntilMs)
  // What may not be served when the origin is down may not be served for a client's wish either (RFC 9111 §4.2.4).
  if (asked.has('max-stale') && mayBeStale(stored)) {
    const limit = asked.get('max-stale') === null ? Infinity : deltaSeconds(asked, 'max-stale')! * 1000
    if (staleMs <= limit) return { action: 'serve', reason: 'stale: max-stale of the request' }
  }
  if (staleMs < stored.whileRevalidateMs) {
    return { action: 'refresh', reason: 'stale: within stale-while-revalidate' }
  }
  return forward('validate', 'stale', asked)
}

/**
 * Whether a stale response stands in for one that could not be had (RFC 9111 §4.2.4, RFC 5861 §4).
 *
 * @param failure `error`: the origin answered with 5xx. `down`: it did not answer
 */
export function reuseAfter(
  failure: 'error' | 'down',
  stored: Stored,
  nowMs: number,
): ReuseReason | undefined {
  // What needs validation and is fresh needs it all the same: then neither time is more than 0.
  const staleMs = Math.max(0, nowMs - stored.freshUntilMs)
  if (staleMs < stored.ifErrorMs) return 'stale: within stale-if-error'
  return failure === 'down' && staleMs < stored.ifDownMs ? 'stale: the origin is down' : undefined
}

/** Nothing asked for. */
const NONE: Directives = new Map()
const NO_CACHE: Directives = new Map([['no-cache', null]])

/** RFC 9111 §5.4: Pragma counts where there is no Cache-Control. */
function requestDirectives({ fields }: Pick<Request, 'fields'>): Directives {
  if (fields.get('cache-control') !== undefined) return parseCacheControl(fields.all('cache-control'))
  const pragma = fields.get('pragma')
  return pragma !== undefined && /(?:^|,)[ \t]*no-cache[ \t]*(?:,|$)/i.test(pragma) ? NO_CACHE : NONE
}

/** What the request wants of a response and this one has not (RFC 9111 §5.2.1). */
function unmetWish(asked: Directives, stored: Stored, nowMs: number): ReuseReason | undefined {
  if (asked.has('no-cache')) return 'request: no-cache'
  const maxAge = deltaSeconds(asked, 'max-age')
  const beyondMs = maxAge === undefined ? 0 : ageMs(stored, nowMs) - maxAge * 1000
  if (maxAge === 0 || beyondMs > 0) return 'request: max-age'
  const minFresh = deltaSeconds(asked, 'min-fresh')
  return minFresh !== undefined && stored.freshUntilMs - nowMs < minFresh * 1000
    ? 'request: min-fresh'
    : undefined
}

/** RFC 9111 §5.2.1.7: who wants only what is stored gets 504 instead of the origin's answer. */
function forward(action: 'validate' | 'fetch', reason: ReuseReason, asked: Directives): Reuse {
  return asked.has('only-if-cached')
    ? { action: 'refuse', reason: 'request: only-if-cached' }
    : { action, reason }
}

function mayBeStale(stored: Stored): boolean {
  return stored.ifDownMs > 0
}
