import type { Places } from './places.ts'
import { type MemberPlan, memberKey, type Place, type PoolHealth, type PoolPlan } from './pool-plan.ts'
import type { RRset } from './rrset.ts'
import { type Steered, steer } from './steer.ts'

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
    const { pool, ...families } = byId.get(id)!
    const members = plan.type === 'AAAA' ? families.AAAA : families.A
    const { value: place, prefix } =
      policy === 'nearest' ? places.find(address, bits) : { value: undefined, prefix: 0 }
    const isUp = (member: number): boolean => health[memberKey(id, members[member]!.address)]?.isUp !== false
    const steered = steer({ members, policy, whenDown: pool.whenDown, isUp, place, draw })
    return { ...steered, place, scope: prefix }
  }

  return { choose }
}

type Compiled = {
  readonly pool: PoolPlan
  readonly A: readonly MemberPlan[]
  readonly AAAA: readonly MemberPlan[]
}

/** A pool as it is steered: members by family, whose order is that of the RRset. */
function compilePool(pool: PoolPlan): Compiled {
  const isIpv6 = ({ address }: MemberPlan): boolean => address.includes(':')
  return {
    pool,
    A: pool.members.filter((member) => !isIpv6(member)),
    AAAA: pool.members.filter(isIpv6),
  }
}
