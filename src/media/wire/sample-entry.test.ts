import assert from 'node:assert/strict'
import { test } from 'node:test'
import { octetsOf } from '../../../test/hex.ts'
import { type Box, boxesIn, childOf } from './bmff.ts'
import { box, fullBoxOf, u16, u32, zeros } from './bmff-write.ts'
import { esdsBox } from './codec-audio.ts'
import { sampleEntries } from './sample-entry.ts'

const video = (type: string, ...parts: Uint8Array[]) =>
  box(type, zeros(6), u16(1), zeros(16), u16(1920, 1080), zeros(50), ...parts)
const nclx = (primaries: number, transfer: number, matrix: number, full = 0) =>
  box('colr', 'nclx', u16(primaries, transfer, matrix), Uint8Array.of(full << 7))

const hevc = (profile: number, compatible: number, constraints: string, level: number, sets = '') => {
  const head = [
    Uint8Array.of(1, profile),
    u32(compatible),
    octetsOf(constraints),
    Uint8Array.of(level),
    zeros(9),
  ]
  return box('hvcC', ...head, octetsOf(sets || '00'))
}
const sets = '03 20 0001 0001 40  21 0001 0001 42  22 0001 0001 44'

const pictures: [what: string, entry: Uint8Array, codec: string][] = [
  ['H.264 High', video('avc1', box('avcC', octetsOf('01640028ff'))), 'avc1.640028'],
  ['H.264 with sets in its samples', video('avc3', box('avcC', octetsOf('0142c01eff'))), 'avc3.42c01e'],
  ['HEVC Main', video('hvc1', hevc(1, 0x60000000, '900000000000', 93)), 'hvc1.1.6.L93.90'],
  [
    'HEVC Main 10 of the high tier',
    video('hvc1', hevc(0x22, 0x20000000, 'b00000000000', 153)),
    'hvc1.2.4.H153.B0',
  ],
  ['HEVC in profile space B', video('hev1', hevc(0x81, 0x60000000, '000000000000', 93)), 'hev1.B1.6.L93'],
  [
    'HEVC whose sets all stand in hvcC',
    video('hev1', hevc(1, 0x60000000, '900000000000', 93, sets)),
    'hvc1.1.6.L93.90',
  ],
  ['AV1 Main', video('av01', box('av1C', octetsOf('81080c00'))), 'av01.0.08M.08'],
  [
    'AV1 with ten bits and PQ',
    video('av01', box('av1C', octetsOf('81094e00')), nclx(9, 16, 9)),
    'av01.0.09M.10.0.112.09.16.09.0',
  ],
  ['AV1 without colours', video('av01', box('av1C', octetsOf('81081c00'))), 'av01.0.08M.08.1.110.01.01.01.0'],
  ['AV1 High with 4:4:4', video('av01', box('av1C', octetsOf('81288000'))), 'av01.1.08H.08.0.000.01.01.01.0'],
  ['VP9', video('vp09', fullBoxOf('vpcC', 1, 0, octetsOf('001f80 020202 0000'))), 'vp09.00.31.08'],
  [
    'VP9 with ten bits and HLG',
    video('vp09', fullBoxOf('vpcC', 1, 0, octetsOf('0229a3 091209 0000'))),
    'vp09.02.41.10.01.09.18.09.01',
  ],
]

for (const [what, entry, codec] of pictures) {
  test(`${what} is ${codec} (RFC 6381 §3.3)`, () => {
    const [read] = readEntries(entry, 'video')
    assert.deepEqual([read!.codec, read!.width, read!.height], [codec, 1920, 1080])
  })
}

const aac = esdsBox(0x40, octetsOf('1190'))
const head = (version: number, channels = 2, rate = 44100) => [
  ...[zeros(6), u16(1, version, 0), u32(0), u16(channels, 16, 0xfffe, 0), u32(rate * 65536)],
]
const version2 = [u32(72), octetsOf('40e5888000000000'), u32(6, 0x7f000000, 16, 0, 0, 1024)]
const wave = box('wave', box('frma', 'mp4a'), box('mp4a', zeros(4)), aac, zeros(4))

const sounds: [what: string, entry: Uint8Array, codec: string, channels: number, rate: number][] = [
  ['AAC-LC', box('mp4a', ...head(0), aac), 'mp4a.40.2', 2, 48000],
  ['AAC of QuickTime, version 1', box('mp4a', ...head(1), zeros(16), wave), 'mp4a.40.2', 2, 48000],
  ['AAC of QuickTime, version 2', box('mp4a', ...head(2, 3, 1), ...version2, aac), 'mp4a.40.2', 2, 48000],
  ['HE-AAC', box('mp4a', ...head(0), esdsBox(0x40, octetsOf('2b920800'))), 'mp4a.40.5', 2, 44100],
  ['HE-AAC v2', box('mp4a', ...head(0), esdsBox(0x40, octetsOf('eb8a0800'))), 'mp4a.40.29', 2, 44100],
  ['xHE-AAC', box('mp4a', ...head(0), esdsBox(0x40, octetsOf('f94640'))), 'mp4a.40.42', 2, 48000],
  ['MPEG-2 AAC', box('mp4a', ...head(0), esdsBox(0x67, octetsOf('1210'))), 'mp4a.67', 2, 44100],
  ['MP3', box('mp4a', ...head(0), esdsBox(0x6b, zeros(0))), 'mp4a.6B', 2, 44100],
  ['MP3 of QuickTime', box('.mp3', ...head(1), zeros(16)), 'mp4a.6B', 2, 44100],
  ['Opus', box('Opus', ...head(0), box('dOps', octetsOf('00 06 0138 0000bb80 0000 01'))), 'opus', 6, 48000],
  [
    'FLAC',
    box('fLaC', ...head(0), fullBoxOf('dfLa', 0, 0, octetsOf(`80000022${'00'.repeat(10)}17700370`))),
    'flac',
    2,
    96000,
  ],
  ['AC-3 with 5.1', box('ac-3', ...head(0), box('dac3', octetsOf('103dc0'))), 'ac-3', 6, 48000],
  ['E-AC-3 with 5.1', box('ec-3', ...head(0), box('dec3', octetsOf('0c00 200f00'))), 'ec-3', 6, 48000],
]

for (const [what, entry, codec, channels, rate] of sounds) {
  test(`${what} is ${codec} with ${channels} channels of ${rate} Hz, in an entry of CMAF`, () => {
    const [read] = readEntries(entry, 'audio')
    assert.deepEqual([read!.codec, read!.channels, read!.sampleRate], [codec, channels, rate])
    const [written] = boxesIn(read!.octets, 0)
    assert.deepEqual(boxesIn(written!.content.subarray(28), 0).length, 1, 'the configuration alone')
    assert.deepEqual(readEntries(read!.octets, 'audio'), [read], 'and it is read as it was')
  })
}

test("QuickTime's colours become those of CMAF, what only QuickTime knows goes", () => {
  const colour = box('colr', 'nclc', u16(1, 1, 1))
  const avcC = box('avcC', octetsOf('01640028ff'))
  const [read] = readEntries(
    video('avc1', avcC, box('fiel', zeros(2)), box('pasp', u32(4, 3)), colour, zeros(4)),
    'video',
  )
  const [written] = boxesIn(read!.octets, 0)
  const parts = boxesIn(written!.content.subarray(78), 0)
  assert.deepEqual(
    parts.map(({ type }) => type),
    ['avcC', 'pasp', 'colr'],
  )
  assert.deepEqual(
    childOf(parts, 'colr')!.content,
    Uint8Array.from([...Buffer.from('nclx'), 0, 1, 0, 1, 0, 1, 0]),
  )
})

const refused: [type: string, kind: 'video' | 'audio', reason: RegExp][] = [
  ['encv', 'video', /is encrypted \(encv\)/],
  ['drmi', 'video', /is encrypted \(drmi\)/],
  ['enca', 'audio', /is encrypted \(enca\)/],
  ['mp4v', 'video', /has mp4v video, which browsers do not play/],
  ['apch', 'video', /has apch video/],
  ['alac', 'audio', /has alac sound/],
  ['a\x00\xff1', 'audio', /has a\?\?1 sound/],
]

for (const [type, kind, reason] of refused) {
  test(`an entry ${JSON.stringify(type)} is not offered, and says why`, () => {
    const said = sampleEntries(stsd(box(type, zeros(100))), kind)
    assert.match(String(said), reason)
  })
}

function stsd(entry: Uint8Array): Box {
  return boxesIn(fullBoxOf('stsd', 0, 0, u32(1), entry), 0)[0]!
}

function readEntries(entry: Uint8Array, kind: 'video' | 'audio') {
  const read = sampleEntries(stsd(entry), kind)
  assert.ok(typeof read !== 'string', String(read))
  return read
}
