import type { PlanNode } from '#core/node.ts'

/** Who of the members answers: the one nearest to the client, one by chance and weight, or the first that is up. */
export type SteerPolicy = 'nearest' | 'weighted' | 'failover'

/** Which pool chooses among the addresses of an RRset, and how. */
export type PoolUse = { readonly id: string; readonly policy: SteerPolicy }

/** Degrees north and east (WGS 84). */
export type Place = { readonly latitude: number; readonly longitude: number }

/** Addresses that do the same, each somewhere. */
export type PoolPlan = PlanNode & {
  readonly members: readonly MemberPlan[]
  /** what is answered when no member is up: every member, or none at all */
  readonly whenDown: 'all' | 'none'
  /** absent: members count as up */
  readonly health?: MemberHealthPlan
}

export type MemberPlan = {
  /** in canonical form */
  readonly address: string
  readonly place: Place | null
  readonly weight: number
}

/** How it is found out whether a member is up: by HTTP where there is a path, else by a TCP connection. */
export type MemberHealthPlan = {
  readonly port: number
  readonly path: string | null
  readonly tls: boolean
  /** name for Host and SNI; null: the address */
  readonly host: string | null
  readonly status: readonly number[]
  readonly intervalMs: number
  readonly timeoutMs: number
  /** checks in a row that bring a member up, and down */
  readonly up: number
  readonly down: number
}

/** Where clients are: networks by place, and a file in MaxMind's format. */
export type PlacesPlan = {
  readonly networks: readonly (readonly [network: string, place: Place])[]
  /** path as written */
  readonly file: string | null
}

/** What a check of a member came to last; JSON. */
export type MemberState = { readonly isUp: boolean; readonly detail: string; readonly sinceMs: number }

/** States by `memberKey`. */
export type PoolHealth = Readonly<Record<string, MemberState>>

/** The name of a member among all pools. */
export function memberKey(poolId: string, address: string): string {
  return `${poolId} ${address}`
}
