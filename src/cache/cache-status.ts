import type { ReuseReason } from './reuse.ts'
import type { Storable } from './storable.ts'

/** What happened to a request that went on to the origin. */
export type Forwarded = {
  readonly why: ReuseReason | 'method' | 'bypass'
  /** the origin's status; undefined when there was none */
  readonly status?: number
  readonly stored?: boolean
  readonly collapsed?: boolean
  /** remaining freshness in seconds */
  readonly ttlSeconds?: number
  readonly detail?: Storable | ReuseReason | undefined
}

/** The member that we add to Cache-Status for a response from the cache (RFC 9211 §2). */
export function hitStatus(ttlSeconds: number, detail: ReuseReason): string {
  return detail === 'fresh'
    ? `portico; hit; ttl=${ttlSeconds}`
    : `portico; hit; ttl=${ttlSeconds}; detail="${detail}"`
}

/** The key of a response, as a string of structured fields (RFC 9211 §2.7); a key is of visible ASCII and spaces. */
export function keyParameter(key: string): string {
  return `; key="${key.replace(/["\\]/g, '\\$&')}"`
}

/** The member that we add for one that was forwarded (RFC 9211 §2.2). */
export function forwardStatus({ why, status, stored, collapsed, ttlSeconds, detail }: Forwarded): string {
  return (
    `portico; fwd=${FWD[why] ?? 'stale'}` +
    (status === undefined ? '' : `; fwd-status=${status}`) +
    (ttlSeconds === undefined ? '' : `; ttl=${ttlSeconds}`) +
    (stored === true ? '; stored' : '') +
    (collapsed === true ? '; collapsed' : '') +
    (detail === undefined || detail === 'storable' ? '' : `; detail="${detail}"`)
  )
}

const FWD: { readonly [why in Forwarded['why']]?: string } = {
  method: 'method',
  bypass: 'bypass',
  'nothing stored': 'uri-miss',
  'vary mismatch': 'vary-miss',
  'part missing': 'partial',
  'request: no-cache': 'request',
  'request: max-age': 'request',
  'request: min-fresh': 'request',
}
