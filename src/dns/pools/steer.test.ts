import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Judged, judgeMember } from './judge-member.ts'
import type { MemberPlan } from './plan.ts'
import { distanceKm, findCandidates, type Steered, type SteerInput, steer } from './steer.ts'

const FRANKFURT = { latitude: 50.11, longitude: 8.68 }
const SINGAPORE = { latitude: 1.35, longitude: 103.82 }
const LYON = { latitude: 45.76, longitude: 4.84 }

const members: readonly MemberPlan[] = [
  { address: '192.0.2.1', place: SINGAPORE, weight: 1 },
  { address: '192.0.2.2', place: FRANKFURT, weight: 1 },
  { address: '192.0.2.3', place: FRANKFURT, weight: 3 },
  { address: '192.0.2.4', place: null, weight: 5 },
]

const usual = { members, whenDown: 'all', isUp: () => true, place: undefined, draw: 0 } as const

const chosen = ({ draw, ...input }: SteerInput & { draw: number }): Steered => {
  return steer(findCandidates(input), draw)
}

test('distances are those of the globe, also across the date line', () => {
  // From the pole to the equator: a quarter of 2 × π × 6371 km.
  assert.equal(Math.round(distanceKm({ latitude: 90, longitude: 7 }, { latitude: 0, longitude: 99 })), 10_008)
  assert.equal(distanceKm(LYON, LYON), 0)
  const east = { latitude: 0, longitude: 179.5 }
  assert.equal(Math.round(distanceKm(east, { latitude: 0, longitude: -179.5 })), 111)
})

test('the nearest member answers; those at one place share by weight', () => {
  const near = (draw: number): number =>
    chosen({ ...usual, policy: 'nearest', place: LYON, draw }).members[0]!
  assert.deepEqual([near(0), near(0.24), near(0.26), near(0.99)], [1, 1, 2, 2])
  const down = chosen({ ...usual, policy: 'nearest', place: LYON, isUp: (i) => i === 0 || i === 3 })
  assert.deepEqual(down, { members: [0], reason: 'nearest of those that are up' })
  const placeless = chosen({ ...usual, policy: 'nearest', place: LYON, isUp: (i) => i === 3 })
  assert.equal(placeless.reason, 'by weight: where the client is, or the members are, is not known')
})

test('shares are those of the weights', () => {
  const counts = [0, 0, 0, 0]
  for (let i = 0; i < 1000; i++) {
    const { members: one } = chosen({ ...usual, policy: 'weighted', draw: i / 1000 })
    counts[one[0]!]!++
  }
  assert.deepEqual(counts, [100, 100, 300, 500])
})

test('the first that is up answers, and when none is every member or none', () => {
  const first = chosen({ ...usual, policy: 'failover', isUp: (i) => i > 1 })
  assert.deepEqual(first, { members: [2], reason: 'first that is up' })
  for (const policy of ['nearest', 'weighted', 'failover'] as const) {
    const down = { ...usual, policy, isUp: () => false }
    assert.deepEqual(chosen(down), { members: [0, 1, 2, 3], reason: 'all are down: every member' })
    const none = chosen({ ...down, whenDown: 'none' })
    assert.deepEqual(none, { members: [], reason: 'all are down: no member' })
  }
})

test('a member on the edge does not flap: only checks in a row change it, but the first decides alone', () => {
  const checks = (text: string, from?: Judged): string => {
    let judged = from
    return [...text]
      .map((check, atMs) => {
        judged = judgeMember(judged, { isGood: check === '+', detail: '', atMs }, { up: 2, down: 3 })
        return judged.isUp ? '+' : '-'
      })
      .join('')
  }
  assert.equal(checks('+'), '+')
  assert.equal(checks('-'), '-')
  assert.equal(checks('+--+--+--'), '+++++++++')
  assert.equal(checks('+---'), '+++-')
  assert.equal(checks('-+-+-+'), '------')
  assert.equal(checks('-++---'), '--+++-')
})
