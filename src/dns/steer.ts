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
  /** from 0 to less than 1, by chance */
  readonly draw: number
}

/** Members so near to one another that distance says nothing. */
const SAME_PLACE_KM = 1
const EARTH_RADIUS_KM = 6371

/**
 * Choose who of a pool answers a client.
 *
 * @example steer({ members, policy: 'failover', whenDown: 'all', isUp: () => true, place: undefined, draw: 0 })
 *   // { members: [0], reason: 'first that is up' }
 */
export function steer({ members, policy, whenDown, isUp, place, draw }: SteerInput): Steered {
  const all = Array.from(members.keys())
  const up = all.filter(isUp)
  if (up.length === 0)
    return whenDown === 'all'
      ? { members: all, reason: 'all are down: every member' }
      : { members: [], reason: 'all are down: no member' }
  if (policy === 'failover') return { members: [up[0]!], reason: 'first that is up' }
  if (policy === 'weighted')
    return { members: [pick(members, up, draw)], reason: 'by weight of those that are up' }
  const near = place === undefined ? [] : nearestTo(place, members, up)
  return near.length === 0
    ? {
        members: [pick(members, up, draw)],
        reason: 'by weight: where the client is, or the members are, is not known',
      }
    : { members: [pick(members, near, draw)], reason: 'nearest of those that are up' }
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
  let left = draw * among.reduce((sum, index) => sum + members[index]!.weight, 0)
  for (const index of among) {
    left -= members[index]!.weight
    if (left < 0) return index
  }
  return among[among.length - 1]!
}
