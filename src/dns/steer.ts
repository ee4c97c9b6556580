import type { MemberPlan, Place, PoolPlan, SteerPolicy } from './pool-plan.ts'

/** What a pool answers to one client. */
export type Steered = {
  /** which members: one, or where none is up all of them or none */
  readonly members: readonly number[]
  readonly reason: SteerReason
}

export type SteerReason =
  | 'nearest of those that are up'
  | 'by weight of those that are up'
  | 'by weight: where the client is, or the members are, is not known'
  | 'first that is up'
  | 'all are down: every member'
  | 'all are down: no member'

export type SteerInput = {
  readonly members: readonly MemberPlan[]
  readonly policy: SteerPolicy
  readonly whenDown: PoolPlan['whenDown']
  readonly isUp: (member: number) => boolean
  /** where the client is, as far as that is known */
  readonly place: Place | undefined
}

/** Members so near to one another that distance says nothing. */
const SAME_PLACE_KM = 1
const EARTH_RADIUS_KM = 6371

/** Members that a client may get: one of them by chance and weight, or, where none is up, all or none. */
export type Candidates = {
  readonly among: readonly number[]
  readonly isOne: boolean
  readonly reason: SteerReason
}

/** What of `steer` is the same for all who are at one place. */
export function findCandidates(input: SteerInput): Candidates {
  const { members, policy, whenDown, isUp, place } = input
  const all = Array.from(members.keys())
  const up = all.filter(isUp)
  if (up.length === 0)
    return whenDown === 'all'
      ? { among: all, isOne: false, reason: 'all are down: every member' }
      : { among: [], isOne: false, reason: 'all are down: no member' }
  if (policy === 'failover') return { among: [up[0]!], isOne: true, reason: 'first that is up' }
  if (policy === 'weighted') return { among: up, isOne: true, reason: 'by weight of those that are up' }
  const near = place === undefined ? [] : nearestTo(place, members, up)
  const reason = 'by weight: where the client is, or the members are, is not known'
  return near.length === 0
    ? { among: up, isOne: true, reason }
    : { among: near, isOne: true, reason: 'nearest of those that are up' }
}

/**
 * Choose who of a pool answers a client: one of the candidates by weight, or, where none is up, all or none.
 *
 * @param draw from 0 to less than 1, by chance
 * @example steer(findCandidates({ members, policy, whenDown, isUp, place }), members, Math.random()).reason
 */
export function steer(
  { among, isOne, reason }: Candidates,
  members: readonly MemberPlan[],
  draw: number,
): Steered {
  return { members: isOne ? [pick(members, among, draw)] : among, reason }
}

/** The shortest way over the globe. */
export function distanceKm(a: Place, b: Place): number {
  const rad = Math.PI / 180
  const across = Math.sin(((b.latitude - a.latitude) * rad) / 2) ** 2
  const along = Math.sin(((b.longitude - a.longitude) * rad) / 2) ** 2
  const chord = across + Math.cos(a.latitude * rad) * Math.cos(b.latitude * rad) * along
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)))
}

/** Members that are nearest, several when they are at one place. */
function nearestTo(place: Place, members: readonly MemberPlan[], among: readonly number[]): number[] {
  let nearest: number[] = []
  let leastKm = Infinity
  for (const index of among) {
    const at = members[index]!.place
    if (at === null) continue
    const km = distanceKm(place, at)
    if (km < leastKm - SAME_PLACE_KM) nearest = [index]
    else if (km <= leastKm + SAME_PLACE_KM) nearest.push(index)
    leastKm = Math.min(leastKm, km)
  }
  return nearest
}

function pick(members: readonly MemberPlan[], among: readonly number[], draw: number): number {
  if (among.length === 1) return among[0]!
  let left = draw * among.reduce((sum, index) => sum + members[index]!.weight, 0)
  for (const index of among) {
    left -= members[index]!.weight
    if (left < 0) return index
  }
  return among[among.length - 1]!
}
