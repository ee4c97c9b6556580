import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Box, boxesIn } from './bmff.ts'
import { box, fullBoxOf, u16, u32, u64 } from './bmff-write.ts'
import { MediaFault } from './fault.ts'
import { isInOrder, readRandomAccess, readSegmentIndex } from './fragment-index.ts'

const boxOf = (octets: Uint8Array, at = 0): Box => boxesIn(octets, at)[0]!
const KEY = 0x90000000
const reference = (octets: number, ticks: number, sap = KEY): Uint8Array => u32(octets, ticks, sap)
const sidx = (...references: Uint8Array[]): Box =>
  boxOf(fullBoxOf('sidx', 0, 0, u32(1, 1000, 40, 8), u16(0, references.length), ...references), 100)

test('a segment index says where fragments begin, counted from behind it (ISO 14496-12 §8.16.3)', () => {
  const index = readSegmentIndex(sidx(reference(500, 2000), reference(600, 2000, 0), reference(700, 1000)))!
  const firstAt = 100 + 32 + 3 * 12 + 8
  assert.deepEqual(index, {
    trackId: 1,
    timescale: 1000,
    // The second does not begin with a key frame.
    entries: [
      { ticks: 40, offset: firstAt },
      { ticks: 4040, offset: firstAt + 1100 },
    ],
    endTicks: 5040,
    endOffset: firstAt + 1800,
  })
  assert.equal(isInOrder(index, firstAt), true)
  assert.equal(isInOrder(index, firstAt + 1), false)
})

test('an index of indexes, and one that begins without a key frame, are left (ISO 14496-12 §8.16.3)', () => {
  assert.equal(readSegmentIndex(sidx(reference(0x80000000 + 500, 2000))), undefined)
  assert.equal(readSegmentIndex(sidx(reference(500, 2000, 0))), undefined)
  const whole = sidx(reference(500, 2000))
  const short = { ...whole, content: whole.content.subarray(0, -4) }
  assert.throws(() => readSegmentIndex(short), MediaFault)
})

test('random access points at the beginning of a fragment are taken (ISO 14496-12 §8.8.10)', () => {
  const entry = (ticks: number, offset: number, sample = 1): Uint8Array =>
    Buffer.concat([u64(ticks), u64(offset), Uint8Array.of(1, 1, sample)])
  const entries = [entry(0, 900), entry(500, 900, 7), entry(2000, 1900)]
  const tfra = fullBoxOf('tfra', 1, 0, u32(1, 0, entries.length), ...entries)
  const mfra = boxOf(box('mfra', tfra, fullBoxOf('mfro', 0, 0, u32(0))))
  const [index] = readRandomAccess(mfra, () => 1000)
  assert.deepEqual(index!.entries, [
    { ticks: 0, offset: 900 },
    { ticks: 2000, offset: 1900 },
  ])
  assert.deepEqual(
    readRandomAccess(mfra, () => undefined),
    [],
  )
})

test('whatever an index holds, it is read or refused', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), (content) => {
    for (const read of [
      () => readSegmentIndex(boxOf(box('sidx', content))),
      () => readRandomAccess(boxOf(box('mfra', box('tfra', content))), () => 1000),
    ]) {
      try {
        read()
      } catch (error) {
        assert.ok(error instanceof MediaFault)
      }
    }
  })
  fc.assert(property)
})
