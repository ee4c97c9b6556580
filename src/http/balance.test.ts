import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { originAt } from '../../test/origin.ts'
import { type Ask, type Balance, type Candidate, choose, createBalance } from './balance.ts'
import type { ServicePlan } from './service-plan.ts'

const up: Candidate = { isDown: false, load: 0, upSince: Number.NEGATIVE_INFINITY }
const down: Candidate = { ...up, isDown: true }

function balanceOf(count: number, changes: Partial<ServicePlan> = {}): Balance {
  const origins = Array.from({ length: count }, (_, i) => originAt(8000 + i))
  return createBalance({ kind: 'service', origins, processId: null, ...changes })
}

function ask(changes: Partial<Ask> = {}): Ask {
  return { now: 0, random: 0, key: '', tried: [], ...changes }
}

function indexes(balance: Balance, candidates: readonly Candidate[], times: number): string {
  return Array.from({ length: times }, () => choose(balance, candidates, ask())?.index).join('')
}

describe('round robin', () => {
  test('goes round', () => assert.equal(indexes(balanceOf(3), [up, up, up], 6), '012012'))
  test('mixes weights instead of bunching them', () =>
    assert.equal(indexes(balanceOf(3, { weights: [5, 1, 1] }), [up, up, up], 14), '00102000010200'))
  test('leaves out who is down', () => assert.equal(indexes(balanceOf(3), [up, down, up], 4), '0202'))
  test('tries who is down when all are', () => {
    assert.equal(indexes(balanceOf(2), [down, down], 4), '0101')
    assert.equal(choose(balanceOf(2), [down, down], ask())?.reason, 'all are down: tried all the same')
  })

  test('gives each its share to within one request a turn, whatever the weights', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 10 }), (weights) => {
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        const balance = balanceOf(weights.length, { weights })
        const counts = weights.map(() => 0)
        for (let i = 0; i < total; i++)
          counts[
            choose(
              balance,
              weights.map(() => up),
              ask(),
            )!.index
          ]!++
        assert.deepEqual(counts, weights)
      }),
    )
  })
})

test('whatever the policy, who was tried is never chosen, and who is down only when all are', () => {
  const policies: ServicePlan['policy'][] = [
    undefined,
    'least-connections',
    'first-available',
    'random',
    { hash: 'client', name: '' },
  ]
  const candidate = fc.record({
    isDown: fc.boolean(),
    load: fc.nat(10),
    upSince: fc.constantFrom(Number.NEGATIVE_INFINITY, 0, 900),
  })
  fc.assert(
    fc.property(
      fc.constantFrom(...policies),
      fc.array(candidate, { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(7), { maxLength: 8 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.string(),
      (policy, candidates, tries, random, key) => {
        const tried = tries.filter((index) => index < candidates.length)
        const changes = { slowStartMs: 1000, ...(policy === undefined ? {} : { policy }) }
        const balance = balanceOf(candidates.length, changes)
        const choice = choose(balance, candidates, ask({ now: 1000, random, key, tried }))
        const left = candidates.filter((_, index) => !tried.includes(index))
        assert.equal(choice === undefined, left.length === 0)
        if (choice === undefined) return
        assert.ok(!tried.includes(choice.index))
        if (candidates.length > 1 && left.some(({ isDown }) => !isDown))
          assert.equal(candidates[choice.index]!.isDown, false)
      },
    ),
  )
})

test('the fewest requests for the weight win, equals in turn', () => {
  const balance = balanceOf(3, { policy: 'least-connections', weights: [1, 1, 4] })
  assert.equal(
    choose(
      balance,
      [
        { ...up, load: 3 },
        { ...up, load: 2 },
        { ...up, load: 7 },
      ],
      ask(),
    )?.index,
    2,
  )
  assert.equal(indexes(balanceOf(2, { policy: 'least-connections' }), [up, up], 4), '0101')
})

test('the first available is the first of the list that is up', () => {
  const balance = balanceOf(3, { policy: 'first-available' })
  assert.equal(indexes(balance, [up, up, up], 3), '000')
  assert.deepEqual(choose(balance, [down, up, up], ask()), { index: 1, reason: 'first available' })
})

test('chance follows the weights', () => {
  const balance = balanceOf(2, { policy: 'random', weights: [1, 3] })
  const chosen = [0, 0.2, 0.26, 0.99].map((random) => choose(balance, [up, up], ask({ random }))!.index)
  assert.deepEqual(chosen, [0, 0, 1, 1])
})

describe('by hash', () => {
  const policy = { hash: 'client', name: '' } as const
  const keys = Array.from({ length: 4000 }, (_, i) => `203.0.113.${i}`)
  const spread = (candidates: readonly Candidate[], weights?: readonly number[]): number[] => {
    const balance = balanceOf(candidates.length, { policy, ...(weights === undefined ? {} : { weights }) })
    return keys.map((key) => choose(balance, candidates, ask({ key }))!.index)
  }
  const counts = (chosen: readonly number[], of: number): number[] =>
    Array.from({ length: of }, (_, i) => chosen.filter((index) => index === i).length)

  test('equal keys lead to one origin, and keys spread evenly', () => {
    const chosen = spread([up, up, up, up])
    assert.deepEqual(spread([up, up, up, up]), chosen)
    for (const count of counts(chosen, 4)) assert.ok(count > 850 && count < 1150, `${count} of 4000`)
  })

  test('weights count', () => {
    const [light = 0, heavy = 0] = counts(spread([up, up], [1, 3]), 2)
    assert.ok(heavy / light > 2.6 && heavy / light < 3.5, `${light} and ${heavy}`)
  })

  test('when an origin goes only its keys move, evenly to the others; one that is added takes its share only', () => {
    const before = spread([up, up, up, up])
    const after = spread([up, down, up, up])
    before.forEach((index, i) => {
      if (index !== 1) assert.equal(after[i], index)
    })
    const moved = after.filter((_, i) => before[i] === 1)
    for (const i of [0, 2, 3]) assert.ok(moved.filter((index) => index === i).length > moved.length / 5)
    const grown = spread([up, up, up, up, up])
    grown.forEach((index, i) => {
      if (index !== 4) assert.equal(index, before[i])
    })
  })
})

test('an origin that came back begins with a tenth and grows to its share', () => {
  const share = (now: number): number => {
    const balance = balanceOf(2, { slowStartMs: 1000 })
    const candidates = [up, { ...up, upSince: 0 }]
    const chosen = Array.from({ length: 1100 }, () => choose(balance, candidates, ask({ now }))!.index)
    return chosen.filter((index) => index === 1).length
  }
  assert.equal(share(0), 100)
  assert.equal(share(500), 367)
  assert.equal(share(1000), 550)
})
