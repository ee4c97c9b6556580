import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readAdts } from './aac.ts'
import { readDolby } from './dolby.ts'
import { hevcEntry, readHevcSps } from './h265.ts'

/** Of x265: Main, level 2, 322×180, which is cropped from 328×184. */
const SPS = '42010101600000030090000003000003003ca00a480b9c9796566924caf0168080000003008000000c84'

test('a sequence parameter set of HEVC says profile, level and size (ITU-T H.265 §7.3.2.2.1)', () => {
  const unit = Buffer.from(SPS, 'hex')
  const sps = readHevcSps(unit)!
  assert.deepEqual([sps.width, sps.height, sps.lumaBits, sps.chroma], [322, 180, 8, 1])
  const { codec, entry } = hevcEntry(sps, [unit, unit, unit])
  assert.equal(codec, 'hvc1.1.6.L60.90')
  // hvcC as another program writes it, up to the count of its arrays.
  const hvcC = Buffer.from(entry).subarray(Buffer.from(entry).indexOf('hvcC'))
  assert.equal(hvcC.subarray(4, 27).toString('hex'), '0101600000009000000000003cf000fcfdf8f800000f03')
})

test('frames of AC-3 and E-AC-3 say their length, rate and channels (ETSI TS 102 366 §4.3.1, §E.1.2)', () => {
  const cases: [head: string, expected: unknown[]][] = [
    // 5.1 of 448 kbit/s at 44.1 kHz, a frame of 975 words
    ['0b770dce5e40ebf8', [1950, 1536, 'ac-3', 6, 44_100]],
    ['0b7700bf3287c000', [384, 1536, 'ec-3', 1, 48_000]],
  ]
  for (const [head, expected] of cases) {
    const octets = Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(8)])
    const frame = readDolby(octets, 0)!
    assert.deepEqual([frame.octets, frame.ticks, frame.codec, frame.channels, frame.sampleRate], expected)
    assert.equal(readDolby(octets, 1), null)
  }
})

test('a header of anything is read as a frame with a length, or as none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 80 }), (octets) => {
      for (const [first, second] of [
        [0x0b, 0x77],
        [0xff, 0xf1],
      ]) {
        const head = Buffer.from([first!, second!, ...octets])
        for (const frame of [readDolby(head, 0), readAdts(head, 0)]) {
          if (frame === null) continue
          assert.ok(frame.octets >= frame.headerOctets && frame.octets > 0 && frame.ticks > 0)
          assert.ok(frame.sampleRate > 0 && frame.channels > 0 && frame.entry().length > 20)
        }
      }
      const sps = readHevcSps(Buffer.from([0x42, 1, ...octets]))
      if (sps !== null) assert.ok(hevcEntry(sps, [octets, octets, octets]).codec.startsWith('hvc1.'))
    }),
    { numRuns: 2000 },
  )
})
