import { parseDate } from '#http/wire/date.ts'
import type { Fields } from '#http/wire/fields.ts'
import type { CachePlan, StatusTtl } from './plan.ts'
import type { Policy } from './targeted.ts'
import { deltaSeconds } from './wire/cache-control.ts'

/** When a request went out, and when the head of its response came in: milliseconds since 1970. */
export type Times = { readonly requestMs: number; readonly responseMs: number }

export type Lifetime = {
  readonly lifetimeMs: number
  /** where it comes from; `file` and `override` are the file's */
  readonly basis: 'override' | 's-maxage' | 'max-age' | 'expires' | 'heuristic' | 'file' | 'none'
}

/** RFC 9111 §4.2.2: a tenth of the time since the last change is what most caches take; a day at most. */
const HEURISTIC_SHARE = 0.1
const HEURISTIC_LIMIT_MS = 86_400_000

/** RFC 9110 §15.1: statuses that may be kept without a word about it. */
const HEURISTIC: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])

/** Whether responses with this status may be kept although they do not say how long (RFC 9111 §3, §4.2.2). */
export function isHeuristic(status: number): boolean {
  return HEURISTIC.has(status)
}

/** How long a response is fresh (RFC 9111 §4.2.1), for a shared cache. */
export function freshnessLifetime(
  response: { readonly status: number; readonly fields: Fields },
  policy: Policy,
  plan: Pick<CachePlan, 'ttl' | 'override'>,
  { responseMs }: Times,
): Lifetime {
  const { status, fields } = response
  const override = ttlOf(plan.override, status)
  if (override !== undefined) return { lifetimeMs: override, basis: 'override' }
  for (const basis of ['s-maxage', 'max-age'] as const) {
    const seconds = deltaSeconds(policy.directives, basis)
    if (seconds !== undefined) return { lifetimeMs: seconds * 1000, basis }
  }
  const dateMs = dateOf(fields, responseMs)
  const expires = policy.isTargeted ? undefined : fields.get('expires')
  if (expires !== undefined) {
    // RFC 9111 §5.3: what is no date, above all "0", lies in the past.
    const expiresMs = parseDate(expires, responseMs) ?? 0
    return { lifetimeMs: Math.max(0, expiresMs - dateMs), basis: 'expires' }
  }
  const ttl = ttlOf(plan.ttl, status)
  if (ttl !== undefined) return { lifetimeMs: ttl, basis: 'file' }
  return heuristicLifetime(status, fields, policy, dateMs)
}

/**
 * When a response was fresh from the origin, by the clock of this cache: its age is the time since then (RFC 9111
 * §4.2.3).
 */
export function bornAt(fields: Fields, { requestMs, responseMs }: Times): number {
  const apparentAgeMs = Math.max(0, responseMs - dateOf(fields, responseMs))
  const correctedAgeMs = ageSeconds(fields) * 1000 + (responseMs - requestMs)
  return responseMs - Math.max(apparentAgeMs, correctedAgeMs)
}

/** The Date of a response; when it came where it has none (RFC 9110 §6.6.1). */
export function dateOf(fields: Fields, responseMs: number): number {
  const date = fields.get('date')
  return (date === undefined ? undefined : parseDate(date, responseMs)) ?? responseMs
}

/** RFC 9111 §5.1: of a list the first member counts; what is no whole number is ignored. */
function ageSeconds(fields: Fields): number {
  const first = fields.get('age')?.split(',')[0]?.trim()
  return first !== undefined && /^\d+$/.test(first) ? Math.min(Number(first), 2 ** 31) : 0
}

function heuristicLifetime(status: number, fields: Fields, { directives }: Policy, dateMs: number): Lifetime {
  const lastModified = fields.get('last-modified')
  const changedMs = lastModified === undefined ? undefined : parseDate(lastModified, dateMs)
  if (changedMs === undefined || changedMs >= dateMs || !(isHeuristic(status) || directives.has('public'))) {
    return { lifetimeMs: 0, basis: 'none' }
  }
  const lifetimeMs = Math.min((dateMs - changedMs) * HEURISTIC_SHARE, HEURISTIC_LIMIT_MS)
  return { lifetimeMs: Math.floor(lifetimeMs), basis: 'heuristic' }
}

function ttlOf(ttls: readonly StatusTtl[], status: number): number | undefined {
  return ttls.find((ttl) => ttl.status === String(status) || isClass(ttl.status, status))?.ttlMs
}

/** `4xx` and `any`, but for what one request has brought about: everybody would get what somebody's odd fields did. */
function isClass(name: string, status: number): boolean {
  if (ABOUT_REQUEST.has(status)) return false
  return name === 'any' || (name.endsWith('xx') && Number(name[0]) === Math.floor(status / 100))
}

/** Statuses that speak of the request's syntax, fields or moment, not of the resource (RFC 9110 §15.5, RFC 6585). */
const ABOUT_REQUEST: ReadonlySet<number> = new Set([400, 408, 413, 417, 421, 425, 426, 429, 431])
