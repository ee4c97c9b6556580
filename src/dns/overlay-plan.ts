import type { PoolHealth } from '#dns/pools/plan.ts'

/** What the main thread finds out for the zones while they are served; JSON, told to all workers when it changes. */
export type DnsOverlay = {
  readonly health: PoolHealth
  /** by owner of an ALIAS; not there: its target was never found */
  readonly aliases: Readonly<Record<string, AliasAddresses>>
}

/** Where the target of an ALIAS leads. */
export type AliasAddresses = {
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
  /** seconds */
  readonly ttl: number
  /** the target could not be found again: these are the last that are known (RFC 8767 §4) */
  readonly isStale: boolean
}

/** Nothing was found out yet. */
export const NO_OVERLAY: DnsOverlay = { health: {}, aliases: {} }
