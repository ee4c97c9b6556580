import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Column, pack, valueAt } from './columns.ts'

const shapes: [what: string, given: Int32Array | Float64Array, octets: number][] = [
  ['one number for all', new Int32Array(1000).fill(-7), 8],
  ['256 different ones', Int32Array.from({ length: 1000 }, (_, i) => (i % 256) * 1_000_000), 1000 + 256 * 8],
  ['257 small ones', Int32Array.from({ length: 1000 }, (_, i) => i % 257), 2000],
  ['257 with a sign', Int32Array.from({ length: 1000 }, (_, i) => (i % 257) - 1), 4000],
  ['257 large ones', Float64Array.from({ length: 1000 }, (_, i) => (i % 257) * 2 ** 40), 8000],
]

for (const [what, given, octets] of shapes) {
  test(`a column of ${what} takes ${octets} octets`, () => {
    const packed = pack(given)
    assert.equal(packed.values.byteLength + (packed.index?.byteLength ?? 0), octets)
    assert.deepEqual(unpacked(packed, given.length), [...given])
  })
}

test('a column has the numbers that it was made of', () => {
  const numbers = fc.array(fc.oneof(fc.integer(), fc.integer({ min: -3, max: 3 })), {
    minLength: 1,
    maxLength: 600,
  })
  fc.assert(
    fc.property(numbers, (given) => {
      assert.deepEqual(unpacked(pack(Int32Array.from(given)), given.length), given)
    }),
  )
})

function unpacked(column: Column, count: number): number[] {
  return Array.from({ length: count }, (_, i) => valueAt(column, i))
}
