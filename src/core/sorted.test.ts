import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lastIndex } from './sorted.ts'

test('the last item that is still so is the one that a look at each finds', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(50), (numbers, most) => {
      const sorted = numbers.toSorted((a, b) => a - b)
      const isStill = (number: number): boolean => number <= most
      assert.equal(lastIndex(sorted, isStill), sorted.findLastIndex(isStill))
    }),
  )
})
