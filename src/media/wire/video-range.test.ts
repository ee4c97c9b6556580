import assert from 'node:assert/strict'
import { test } from 'node:test'
import { box, u16, zeros } from './bmff-write.ts'
import { videoRangeOf } from './video-range.ts'

const colr = (transfer: number) => box('colr', 'nclx', u16(9, transfer, 9), zeros(1))
/** Version 1.0, profile in seven bits, level in six, two flags, then compatibility. */
const dolby = (profile: number, level: number, compatibility: number) =>
  box('dvvC', Uint8Array.of(1, 0, (profile << 1) | (level >> 5), ((level & 31) << 3) | 5, compatibility << 4))

const cases: [
  name: string,
  type: string,
  parts: Uint8Array[],
  range: string | null,
  codecs: string | null,
][] = [
  ['without colours', 'hvc1', [], null, null],
  ['as usual', 'avc1', [colr(1)], null, null],
  ['of HDR10', 'hvc1', [colr(16)], 'PQ', null],
  ['of HLG', 'av01', [colr(18)], 'HLG', null],
  ['of Dolby Vision over HDR10', 'hvc1', [colr(16), dolby(8, 7, 1)], 'PQ', 'dvh1.08.07/db1p'],
  ['of Dolby Vision over HLG', 'hvc1', [colr(18), dolby(8, 37, 4)], 'HLG', 'dvh1.08.37/db4h'],
  ['of Dolby Vision over AV1', 'av01', [colr(16), dolby(10, 9, 1)], 'PQ', 'dav1.10.09/db1p'],
  ['of Dolby Vision alone', 'hvc1', [dolby(5, 7, 0)], null, null],
  ['cut short', 'hvc1', [box('colr', 'nclx'), box('dvvC', zeros(4))], null, null],
]

for (const [name, type, parts, range, supplementalCodecs] of cases) {
  test(`the range of pictures ${name} (RFC 8216bis §4.4.6.2)`, () => {
    assert.deepEqual(videoRangeOf(box(type, zeros(78), ...parts)), { range, supplementalCodecs })
  })
}
