import type { Position, Problem } from '#core/problem.ts'
import type { PoolPlan, PoolUse, SteerPolicy } from '#dns/pools/plan.ts'
import { addressFault, hostTargetFault } from './target-fault.ts'
import { looksLikeAddress, targetName } from './written-name.ts'

/** Where a set of records stands, and what is known about it. */
export type SpecialPlace = {
  readonly owner: string
  readonly ownerText: string
  readonly apex: string
  /** seconds */
  readonly ttl: number
  readonly from: Position
}

/** One address of a pool, or the target of an ALIAS, as `RecordDraft` has records. */
export type SpecialDraft = Pick<SpecialPlace, 'owner' | 'ttl' | 'from'> & {
  readonly type: string
  readonly data: string
  readonly why: 'written'
  readonly pool?: PoolUse
}

/** What was read of a set, or why it could not be. */
export type ReadSpecial = { readonly drafts: readonly SpecialDraft[]; readonly problem?: Problem }

/** A client that keeps the address of a member that went down is lost for so long, in seconds. */
const POOL_TTL = { usual: 30, most: 60 } as const

const FAMILY: Readonly<Record<string, ':' | '.'>> = { A: '.', AAAA: ':' }

/** Read the target of an ALIAS: the name has the addresses of another one, whatever else it has. */
export function readAlias(texts: readonly string[], place: SpecialPlace): ReadSpecial {
  const [text, ...others] = texts
  if (text === undefined) return { drafts: [] }
  const target = looksLikeAddress(text)
    ? addressFault(text, 'ALIAS', place.ownerText)
    : targetName(text, place.apex)
  const fault = typeof target === 'string' ? hostTargetFault(text, target) : target
  if (typeof target !== 'string' || fault !== undefined)
    return { drafts: [], problem: { level: 'error', at: place.from, ...fault! } }
  if (others.length > 0) return { drafts: [], problem: severalAliases(place) }
  const { owner, from, ttl } = place
  return { drafts: [{ owner, type: 'ALIAS', data: target, ttl, from, why: 'written' }] }
}

/** Read a set that a pool chooses from: a draft for each member of the type's family. */
export function readPool(
  type: string,
  { pool: name, policy, ttl }: { pool: string; policy: SteerPolicy; ttl: number | undefined },
  place: SpecialPlace & { readonly pools: ReadonlyMap<string, PoolPlan> },
): ReadSpecial {
  const { owner, from, ownerText } = place
  const pool = place.pools.get(name)
  const family = FAMILY[type]
  if (family === undefined)
    return fail('dns/pool-type', place, wrongType(type, ownerText), '"A": { "pool": "app" }')
  if (pool === undefined)
    return fail('dns/unknown-pool', place, unknownPool(name, ownerText, place.pools), '"pools": { … }')
  const members = pool.members.filter(({ address }) => address.includes(family))
  if (members.length === 0 && pool.members.length > 0) {
    const other = type === 'A' ? 'AAAA' : 'A'
    const message = `${type} of "${ownerText}" takes the pool "${name}", which has no member of this family.`
    return fail('dns/pool-family', place, message, `"${other}": { "pool": "${name}" }`)
  }
  if (ttl !== undefined && ttl > POOL_TTL.most) {
    const message = `${type} of "${ownerText}" has a TTL of ${ttl} seconds; clients of a member that goes down wait for so long, so ${POOL_TTL.most} are the most.`
    return fail('dns/pool-ttl', place, message, '"ttl": "30s"')
  }
  const seconds = ttl ?? Math.min(place.ttl, POOL_TTL.usual)
  const use = { id: pool.id, policy }
  return {
    drafts: members.map(({ address }) => {
      return { owner, type, data: address, ttl: seconds, from, why: 'written', pool: use }
    }),
  }
}

function fail(code: string, { from }: SpecialPlace, message: string, fix: string): ReadSpecial {
  return { drafts: [], problem: { level: 'error', code, at: from, message, fix } }
}

function severalAliases({ ownerText, from }: SpecialPlace): Problem {
  const message = `"${ownerText}" has several ALIAS; its addresses are those of one name.`
  return { level: 'error', code: 'dns/several-aliases', at: from, message, fix: 'keep one of them' }
}

function wrongType(type: string, ownerText: string): string {
  return `${type} of "${ownerText}" names a pool, but members are addresses: A and AAAA have them.`
}

function unknownPool(name: string, ownerText: string, pools: ReadonlyMap<string, unknown>): string {
  const known = pools.size === 0 ? 'the file has none' : `there are ${[...pools.keys()].join(', ')}`
  return `"${ownerText}" takes the pool "${name}"; ${known}.`
}
