import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBudget } from './budget.ts'

test('a budget is spent, fills up with time, and lets the patient through', () => {
  let now = 0
  const budget = createBudget(
    () => 10,
    () => now,
  )
  const take = (patient = false): boolean => budget.take(patient)
  assert.deepEqual(Array.from({ length: 11 }, () => take()).lastIndexOf(true), 9)
  assert.equal(take(true), true)
  now = 200
  assert.deepEqual([take(), take(), take()], [true, true, false])
})
