import type { MemberPlan, Place, PoolPlan, SteerPolicy } from './plan.ts'

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

/** What a pool answers at one place: the first of these whose `below` is above the draw. */
export type Candidates = readonly Candidate[]
type Candidate = { readonly steered: Steered; readonly below: number }

/** What of `steer` is the same for all who are at one place. */
export function findCandidates(input: SteerInput): Candidates {
  const { members, policy, whenDown, isUp, place } = input
  const all = Array.from(members.keys())
  const up = all.filter(isUp)
  if (up.length === 0) {
    const steered: Steered =
      whenDown === 'all'
        ? { members: all, reason: 'all are down: every member' }
        : { members: [], reason: 'all are down: no member' }
    return [{ steered, below: 1 }]
  }
  if (policy === 'failover') return shareOut(members, [up[0]!], 'first that is up')
  if (policy === 'weighted') return shareOut(members, up, 'by weight of those that are up')
  const near = place === undefined ? [] : nearestTo(place, members, up)
  return near.length === 0
    ? shareOut(members, up, 'by weight: where the client is, or the members are, is not known')
    : shareOut(members, near, 'nearest of those that are up')
}

/** Each of `among` by its weight. */
function shareOut(members: readonly MemberPlan[], among: readonly number[], reason: SteerReason): Candidates {
  const total = among.reduce((sum, index) => sum + members[index]!.weight, 0)
  let sum = 0
  return among.map((index) => {
    sum += members[index]!.weight
    return { steered: { members: [index], reason }, below: sum / total }
  })
}

/**
 * Choose who of a pool answers a client: one of the candidates by weight, or, where none is up, all or none.
 *
 * @param draw from 0 to less than 1, by chance
 * @example steer(findCandidates({ members, policy, whenDown, isUp, place }), Math.random()).reason
 */
export function steer(candidates: Candidates, draw: number): Steered {
  for (const { steered, below } of candidates) if (draw < below) return steered
  return candidates[candidates.length - 1]!.steered
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
