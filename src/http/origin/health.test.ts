import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { CircuitPlan, HealthPlan } from '../service-plan.ts'
import { createBudget, earn, spend } from './budget.ts'
import { CLOSED, isOpen, judgeRequest, tried } from './circuit.ts'
import { ASSUMED, judgeCheck } from './health.ts'

describe('health by checks', () => {
  const plan: HealthPlan = { path: '/', intervalMs: 1, timeoutMs: 1, status: [200], up: 2, down: 3 }
  const after = (checks: string): string => {
    let health = ASSUMED
    return [...checks]
      .map((check) => ((health = judgeCheck(health, check === '+', plan)).isWell ? 'w' : 'i'))
      .join('')
  }
  const table: readonly (readonly [string, string, string])[] = [
    ['three bad ones in a row take it out', '---', 'wwi'],
    ['a good one between starts the count anew', '--+--+--', 'wwwwwwww'],
    ['two good ones in a row bring it back', '---++', 'wwiiw'],
    ['one good one does not', '---+-+-+', 'wwiiiiii'],
  ]
  for (const [name, checks, expected] of table) test(name, () => assert.equal(after(checks), expected))

  test('never changes more often than every second check', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('+', '-'), maxLength: 60 }), (checks) => {
        assert.doesNotMatch(after(checks), /iwi|wiw/)
      }),
    )
  })
})

describe('a circuit', () => {
  const plan: CircuitPlan = { failures: 2, pauseMs: 100, status: [500] }

  test('opens with failures in a row, lets one request try after the pause, and closes when that is good', () => {
    const once = judgeRequest(CLOSED, false, plan, 0)
    assert.equal(isOpen(once, 0), false)
    const open = judgeRequest(once, false, plan, 0)
    assert.deepEqual([isOpen(open, 99), isOpen(open, 100)], [true, false])
    const trial = tried(open, plan, 100)
    assert.equal(isOpen(trial, 100), true, 'the others wait for the one that tries')
    assert.equal(isOpen(judgeRequest(trial, true, plan, 101), 101), false)
    assert.equal(isOpen(judgeRequest(trial, false, plan, 150), 249), true)
  })

  test('stays closed while good ones come between', () => {
    let circuit = CLOSED
    for (let i = 0; i < 20; i++) circuit = judgeRequest(circuit, i % 2 === 0, plan, i)
    assert.equal(isOpen(circuit, 20), false)
    assert.equal(tried(circuit, plan, 20), circuit)
  })
})

test('the budget allows a fifth of the requests, ten a second and what was saved, whatever the order', () => {
  const steps = fc.array(fc.record({ requests: fc.nat(50), retries: fc.nat(50), ms: fc.nat(500) }))
  fc.assert(
    fc.property(steps, (list) => {
      let budget = createBudget(0)
      let [now, requests, spent] = [0, 0, 0]
      for (const step of list) {
        now += step.ms
        requests += step.requests
        budget = earn(budget, step.requests, now)
        for (let i = 0; i < step.retries; i++) {
          const left = spend(budget)
          if (left === undefined) break
          budget = left
          spent++
        }
      }
      assert.ok(spent <= 256 + requests / 5 + now / 100 + 1e-6, `${spent} of ${requests} in ${now} ms`)
    }),
  )
})
