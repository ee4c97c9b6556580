import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Arena } from './arena.ts'
import { hashKey } from './hash.ts'
import { BLOCK_UNITS, control, createStoreMemory, Shared } from './shared.ts'
import { droppedHits, rememberDropped, worth } from './worth.ts'

function fresh(): { readonly arena: Arena; readonly shared: Shared } {
  const shared = new Shared(createStoreMemory({ budgetOctets: 4 * 1024 * 1024 }), 0)
  return { arena: new Arena(shared), shared }
}

test('blocks never overlap or cross a region, and all units come back, also when rebuilt in between', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ take: fc.integer({ min: 1, max: BLOCK_UNITS }), isPieces: fc.boolean() }),
    },
    { weight: 6, arbitrary: fc.record({ take: fc.integer({ min: 1, max: 20 }), isPieces: fc.boolean() }) },
    { weight: 8, arbitrary: fc.record({ give: fc.nat() }) },
    { weight: 1, arbitrary: fc.constant('rebuild' as const) },
  )
  const property = fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
    const { arena, shared } = fresh()
    const owner = new Uint8Array(shared.shape.units)
    const used: number[] = []
    const mark = (start: number, value: number): void => {
      for (let unit = start; unit < start + arena.units(start); unit++) {
        assert.equal(owner[unit], 1 - value, `unit ${unit}`)
        owner[unit] = value
      }
    }
    for (const one of steps) {
      if (one === 'rebuild') arena.rebuild(used.map((start) => ({ start, units: arena.units(start) })))
      else if ('give' in one) {
        const [start] = used.splice(one.give % Math.max(used.length, 1), 1)
        if (start === undefined) continue
        mark(start, 0)
        arena.give(start)
      } else {
        const start = arena.take(one.take, one.isPieces ? 1 : one.take, used.length)
        if (start === 0) continue
        const units = arena.units(start)
        assert.ok(units <= one.take && (one.isPieces || units === one.take))
        assert.equal(Math.floor(start / BLOCK_UNITS), Math.floor((start + units - 1) / BLOCK_UNITS))
        mark(start, 1)
        used.push(start)
      }
    }
    const inUse = owner.reduce((sum, value) => sum + value, 0)
    const unitZero = shared.control[control.freshUnit] === 0 ? 0 : 1
    assert.equal(shared.control[control.freeUnits], shared.shape.units - inUse - unitZero)
  })
  fc.assert(property, { numRuns: 100 })
})

test('keys spread over all buckets, and differently with another seed', () => {
  const out = new Int32Array(2)
  const buckets = new Uint16Array(1024)
  for (let n = 0; n < 10_240; n++) {
    hashKey(`https://example.com/${n}`, Int32Array.of(1, 2), out)
    buckets[out[1]! & 1023]! += 1
  }
  assert.ok(Math.max(...buckets) < 40, `${Math.max(...buckets)} in one of 1024, ten on average`)
  const first = Int32Array.from(out)
  hashKey('https://example.com/10239', Int32Array.of(1, 3), out)
  assert.notDeepEqual(out, first)
  for (const key of ['', 'a', 'ab', 'abc', 'abcd', 'abcde', 'é', '漢']) hashKey(key, Int32Array.of(1, 2), out)
})

test('worth: more hits, fewer idle and smaller are worth more; dropped objects are remembered by their hash', () => {
  assert.ok(worth(2, 10, 100) > worth(1, 10, 100))
  assert.ok(worth(1, 10, 100) > worth(1, 11, 100))
  assert.ok(worth(1, 10, 100) > worth(1, 10, 101))
  assert.ok(worth(2, 1000, 100) > worth(1, 200, 100), 'a second request counts more than the first')
  const cells = new Int32Array(64)
  rememberDropped(cells, 0x12345678, 9)
  assert.equal(droppedHits(cells, 0x12345678), 9)
  assert.equal(droppedHits(cells, 0x12345688), 0)
  rememberDropped(cells, 0x12345678, 63)
  assert.equal(droppedHits(cells, 0x12345678), 15)
})
