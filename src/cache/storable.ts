import type { Request, ResponseHead } from '#http/exchange.ts'
import { fitsSuffix } from './deception.ts'
import { isHeuristic, type Lifetime } from './freshness.ts'
import type { CachePlan } from './plan.ts'
import type { Policy } from './targeted.ts'
import { varyNames } from './vary.ts'
import { parseCacheControl } from './wire/cache-control.ts'
import { parseContentRange } from './wire/content-range.ts'

/** Why a response is kept, or why not; also in Cache-Status, log and explain. */
export type Storable =
  | 'storable'
  | 'method'
  | 'request: no-store'
  | 'response: no-store'
  | 'private'
  | 'must-understand'
  | 'authorization'
  | 'set-cookie'
  | 'vary: *'
  | 'status'
  | 'part without a place'
  | 'neither fresh nor to be validated'
  | 'too large'
  | 'does not fit its suffix'

/** What is known when a response has come. */
export type Candidate = {
  readonly request: Request
  readonly response: ResponseHead
  readonly policy: Policy
  readonly lifetime: Lifetime
  readonly plan: CachePlan
}

/** Decide whether a response may be kept (RFC 9111 §3), and is worth it. */
export function storable(candidate: Candidate): Storable {
  const { request, response, policy, lifetime, plan } = candidate
  const { directives } = policy
  const { status, fields, lengthOctets } = response
  const isOverridden = lifetime.basis === 'override'
  if (request.method !== 'GET' && request.method !== 'POST') return 'method'
  if (forbidsStoring(request)) return 'request: no-store'
  // RFC 9111 §5.2.2.3: who understands the status need not heed no-store; who does not keeps nothing.
  const mustUnderstand = directives.has('must-understand')
  if (mustUnderstand && !UNDERSTOOD.has(status)) return 'must-understand'
  if (!isOverridden) {
    if (directives.has('no-store') && !mustUnderstand) return 'response: no-store'
    if (directives.get('private') === null) return 'private'
  }
  if (status === 304 || status < 200) return 'status'
  if (status === 206 && !hasPlace(response)) return 'part without a place'
  const isPersonal = plan.isPersonal || request.fields.get('authorization') !== undefined
  if (isPersonal && !plan.authorized && !isForAll(directives)) {
    return 'authorization'
  }
  if (fields.get('set-cookie') !== undefined && !keepsCookies(candidate)) return 'set-cookie'
  if (varyNames(fields, plan.ignoredInVary) === '*') return 'vary: *'
  if (!isCacheable(candidate)) return 'status'
  if (!isUseful(candidate)) return 'neither fresh nor to be validated'
  if (lengthOctets !== null && lengthOctets > plan.limitOctets) return 'too large'
  if (plan.guard && !fitsSuffix(request.target, fields.get('content-type'))) return 'does not fit its suffix'
  return 'storable'
}

/** Statuses whose meaning for caches is implemented here (RFC 9111 §3): final ones of RFC 9110. */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 407,
  408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 425, 426, 428, 429, 431, 451, 500, 501, 502,
  503, 504, 505, 511,
])

function forbidsStoring({ fields }: Request): boolean {
  return (
    fields.get('cache-control') !== undefined &&
    parseCacheControl(fields.all('cache-control')).has('no-store')
  )
}

/** RFC 9111 §3.3: a part is kept only when it says which part it is; several parts in one are not kept. */
function hasPlace({ fields, lengthOctets }: ResponseHead): boolean {
  const place = parseContentRange(fields.get('content-range') ?? '')
  if (place === undefined || place.total === null) return false
  return lengthOctets === null || lengthOctets === place.last - place.first + 1
}

/** RFC 9111 §3.5: what a response to one who signed in must say to be kept for all. */
function isForAll(directives: Policy['directives']): boolean {
  return directives.has('public') || directives.has('s-maxage') || directives.has('must-revalidate')
}

/** RFC 9111 §7.3: Set-Cookie forbids nothing; but who sets a cookie without a word on freshness has not thought of caches. */
function keepsCookies({ plan, lifetime, policy }: Candidate): boolean {
  if (plan.setCookie !== 'explicit') return plan.setCookie === 'always'
  return (
    policy.directives.has('public') || ['override', 's-maxage', 'max-age', 'expires'].includes(lifetime.basis)
  )
}

/** RFC 9111 §3: something says that it may be kept: its lifetime, `public`, the file, or its status. */
function isCacheable({ response, policy, lifetime }: Candidate): boolean {
  if (lifetime.basis !== 'none' && lifetime.basis !== 'heuristic') return true
  return policy.directives.has('public') || isHeuristic(response.status)
}

/** What is never fresh and cannot be validated would never be used. */
function isUseful({ response, policy, lifetime, plan }: Candidate): boolean {
  const { fields } = response
  if (fields.get('etag') !== undefined || fields.get('last-modified') !== undefined) return true
  if (policy.directives.get('no-cache') === null) return false
  return (
    lifetime.lifetimeMs > 0 || policy.directives.has('stale-while-revalidate') || plan.stale.revalidateMs > 0
  )
}
