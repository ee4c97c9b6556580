import type { RRset } from '#dns/rrset.ts'
import type { Places } from './places.ts'
import {
  type MemberPlan,
  memberKey,
  type Place,
  type PoolHealth,
  type PoolPlan,
  type SteerPolicy,
} from './plan.ts'
import { type Candidates, findCandidates, type Steered, steer } from './steer.ts'

/** Who a pool is steered for. */
export type SteerClient = {
  /** 4 or 16 octets, of which the first `bits` bits are known */
  readonly address: Uint8Array
  readonly bits: number
  /** from 0 to less than 1, by chance */
  readonly draw: number
}

/** What a pool answers, and for which network around the client, in bits (RFC 7871 §7.2.1). */
export type SteeredAnswer = Steered & { readonly scope: number; readonly place: Place | undefined }

/** The pools of the Plan with what is known of them now. */
export type Steering = {
  /** @param rrset one with `plan.pool` */
  choose(rrset: RRset, client: SteerClient): SteeredAnswer
}

/** @example createSteering(plan.pools, places, overlay.health).choose(rrset, client).reason */
export function createSteering(pools: readonly PoolPlan[], places: Places, health: PoolHealth): Steering {
  const byId = new Map(pools.map((pool) => [pool.id, compilePool(pool)]))

  function choose({ plan }: RRset, { address, bits, draw }: SteerClient): SteeredAnswer {
    const { id, policy } = plan.pool!
    const { whenDown, families } = byId.get(id)!
    const { members, known } = plan.type === 'AAAA' ? families.AAAA : families.A
    const { value: place, prefix } = policy === 'nearest' ? places.find(address, bits) : NOWHERE
    const key = place ?? policy
    let candidates = known.get(key)
    if (candidates === undefined) {
      const isUp = (member: number): boolean =>
        health[memberKey(id, members[member]!.address)]?.isUp !== false
      candidates = findCandidates({ members, policy, whenDown, isUp, place })
      if (known.size >= KNOWN_LIMIT) known.clear()
      known.set(key, candidates)
    }
    const { members: chosen, reason } = steer(candidates, draw)
    return { members: chosen, reason, place, scope: prefix }
  }

  return { choose }
}

const NOWHERE = { value: undefined, prefix: 0 } as const

/** Places whose candidates are remembered: as long as health stays as it is. */
const KNOWN_LIMIT = 4096

type Family = {
  readonly members: readonly MemberPlan[]
  /** by place; by policy where places do not count, or none is known */
  readonly known: Map<Place | SteerPolicy, Candidates>
}

type Compiled = {
  readonly whenDown: PoolPlan['whenDown']
  readonly families: { readonly A: Family; readonly AAAA: Family }
}

/** A pool as it is steered: members by family, whose order is that of the RRset. */
function compilePool({ members, whenDown }: PoolPlan): Compiled {
  const familyOf = (isIpv6: boolean): Family => {
    return { members: members.filter(({ address }) => address.includes(':') === isIpv6), known: new Map() }
  }
  return { whenDown, families: { A: familyOf(false), AAAA: familyOf(true) } }
}
