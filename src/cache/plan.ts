import type { CacheConfig, CacheStoreConfig } from './config.ts'

/** How a route keeps responses. Milliseconds and octets. */
export type CachePlan = {
  /** freshness lifetimes of responses that say none themselves, by status */
  readonly ttl: readonly StatusTtl[]
  /** freshness lifetimes whatever the response says */
  readonly override: readonly StatusTtl[]
  readonly key: KeyPlan
  /** names in Vary that do not count, in lower case */
  readonly ignoredInVary: readonly string[]
  readonly stale: {
    /** served while the origin is asked in the background; what a response says itself comes first */
    readonly revalidateMs: number
    /** served instead of a 5xx of the origin; what a response says itself comes first */
    readonly errorMs: number
    /** served while the origin cannot be reached */
    readonly downMs: number
  }
  readonly limitOctets: number
  /** requests that have one of them pass by the cache */
  readonly bypass: { readonly fields: readonly string[]; readonly cookies: readonly string[] }
  /** on every object, beside those that the response says */
  readonly tags: readonly string[]
  /** large objects are fetched in pieces of so many octets; null: whole */
  readonly sliceOctets: number | null
  /** whether responses with Set-Cookie are kept: when they say how long they are fresh, never, or as any other */
  readonly setCookie: 'explicit' | 'never' | 'always'
  /** whoever asks has been identified: what comes may be meant for one person, as with Authorization */
  readonly isPersonal: boolean
  /** responses to requests with Authorization are kept as any other */
  readonly authorized: boolean
  /** what does not fit its path's suffix is not kept */
  readonly guard: boolean
  /** responses say in Cache-Status how they came about; `key`: also under which key they are stored */
  readonly status: boolean | 'key'
  /** SHA-256 in hexadecimal of the token with which clients may send PURGE; null: nobody may */
  readonly purgeToken: string | null
}

/** `status` is `200`, `4xx` or `any`. */
export type StatusTtl = { readonly status: string; readonly ttlMs: number }

/** What of a request is in its cache key beside scheme, authority and target. */
export type KeyPlan = {
  /** `all`: as it is; else the parameters that stay, or those that go */
  readonly query: 'all' | { readonly keep: readonly string[] } | { readonly drop: readonly string[] }
  readonly sortsQuery: boolean
  readonly cookies: readonly string[]
  readonly fields: readonly string[]
}

/** Where all routes keep responses. */
export type CacheStorePlan = {
  readonly memoryOctets: number
  /** null: memory only; `folder` null: in state */
  readonly disk: { readonly octets: number; readonly folder: string | null } | null
}

/** @param isUsed some route has a cache; null without */
export function planCacheStore(
  { memory, disk, folder }: CacheStoreConfig,
  isUsed: boolean,
): CacheStorePlan | null {
  if (!isUsed) return null
  return { memoryOctets: memory, disk: disk === undefined ? null : { octets: disk, folder: folder ?? null } }
}

/**
 * Decide how a route caches: its own options, or those of its host.
 *
 * @param isPersonal clients of the route are identified before the cache
 * @returns undefined when it does not
 */
export function planCache(written: CacheConfig | undefined, isPersonal = false): CachePlan | undefined {
  if (written === undefined || written === false) return undefined
  const config = written === true ? {} : written
  const { key = {}, stale = {}, bypass = {} } = config
  return {
    ttl: planTtl(config.ttl),
    override: planTtl(config.override),
    key: {
      query: planQuery(key.query),
      sortsQuery: typeof key.query === 'object' && key.query.sort === true,
      cookies: key.cookies ?? [],
      fields: (key.headers ?? []).map(lower),
    },
    ignoredInVary: (config.vary?.ignore ?? []).map(lower),
    stale: {
      revalidateMs: stale.revalidate ?? 0,
      errorMs: stale.error ?? 0,
      downMs: stale.down ?? DOWN_MS,
    },
    limitOctets: config.maxSize ?? LIMIT_OCTETS,
    bypass: { fields: (bypass.headers ?? []).map(lower), cookies: bypass.cookies ?? [] },
    tags: config.tags ?? [],
    sliceOctets: config.slice ?? null,
    setCookie: config.setCookie ?? 'explicit',
    isPersonal,
    authorized: config.authorized ?? false,
    guard: config.guard ?? true,
    status: config.status ?? true,
    purgeToken: config.purge?.toLowerCase() ?? null,
  }
}

/** An hour: long enough to mend an origin, short enough that nobody takes what is shown for the present. */
const DOWN_MS = 3_600_000
const LIMIT_OCTETS = 64 * 2 ** 30

function planTtl(written: number | Readonly<Record<string, number>> | undefined): StatusTtl[] {
  if (written === undefined) return []
  if (typeof written === 'number') return [{ status: '200', ttlMs: written }]
  const ttls = Object.entries(written).map(([status, ttlMs]) => ({ status, ttlMs }))
  // What names one status comes before what names a class of them.
  return ttls.sort((a, b) => breadth(a.status) - breadth(b.status))
}

function breadth(status: string): number {
  return status === 'any' ? 2 : status.endsWith('xx') ? 1 : 0
}

function planQuery(
  written: NonNullable<NonNullable<Exclude<CacheConfig, boolean>['key']>['query']> | undefined,
): KeyPlan['query'] {
  if (written === undefined || written === 'all') return 'all'
  if (written === 'none') return { keep: [] }
  if (written.keep !== undefined) return { keep: written.keep }
  return written.drop === undefined ? 'all' : { drop: written.drop }
}

function lower(name: string): string {
  return name.toLowerCase()
}
