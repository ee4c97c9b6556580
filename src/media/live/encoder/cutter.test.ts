import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sample } from '#media/live/wire/sample.ts'
import { CutFault, type CutPart, type CutRules, Cutter } from './cutter.ts'

const TICKS = 1000
const rules: CutRules = { targetSeconds: 4, partSeconds: 0.4, bufferOctets: 1e6, lateSeconds: 2 }

function sample(seconds: number, length: number, isKey: boolean): Sample {
  return { at: seconds * TICKS, ticks: length * TICKS, offset: 0, isKey, octets: Buffer.alloc(10) }
}

/** Pictures of 40 ms with key frames at distances of `keys` seconds, for `seconds`. */
function cutVideo(keys: number, seconds: number): CutPart[] {
  const cutter = new Cutter([{ timescale: TICKS, isVideo: true }], rules)
  const distance = Math.round(keys * 25)
  const parts: CutPart[] = []
  for (let i = 0; i < seconds * 25; i++)
    parts.push(...cutter.take(0, sample(i * 0.04, 0.04, i % distance === 0)))
  return [...parts, ...cutter.finish()]
}

/** Lengths of the segments, and whether each begins with a key frame. */
function segmentsOf(parts: readonly CutPart[]): string[] {
  const segments: string[] = []
  let [pictures, isKey] = [0, parts[0]!.independent]
  for (const [i, part] of parts.entries()) {
    pictures += part.tracks[0]!.length
    if (!part.closes && i < parts.length - 1) continue
    segments.push(`${(pictures / 25).toFixed(2)}${isKey ? '' : ' no key'}`)
    pictures = 0
    isKey = parts[i + 1]?.independent ?? false
  }
  return segments
}

test('a segment ends with the last key frame before the target, and without one where it must', () => {
  const cases: [keys: number, expected: string[]][] = [
    [1, ['4.00', '4.00', '4.00', '1.00']],
    [2, ['4.00', '4.00', '4.00', '1.00']],
    [4, ['4.00', '4.00', '4.00', '1.00']],
    // At the first key frame nobody knows how far the next one is; from the second on it is known.
    [3, ['3.00', '3.00', '3.00', '3.00', '1.00']],
    [6, ['4.48', '1.52', '4.48', '1.52', '1.00']],
  ]
  for (const [keys, expected] of cases) {
    const segments = segmentsOf(cutVideo(keys, 13)).map((segment) => segment.replace(' no key', ''))
    assert.deepEqual(segments, expected, `keys each ${keys} s`)
  }
  assert.deepEqual(segmentsOf(cutVideo(6, 6)), ['4.48', '1.52 no key'])
})

test('no part is longer than it may be, and only the last of a segment is shorter', () => {
  for (const part of cutVideo(2, 8)) {
    const pictures = part.tracks[0]!.length
    assert.ok(pictures === 10 || part.closes, `${pictures} pictures`)
  }
})

test('parts of sound end where those of the pictures do, whichever comes first', () => {
  for (const lead of [-0.3, 0, 0.3]) {
    const cutter = new Cutter(
      [
        { timescale: TICKS, isVideo: true },
        { timescale: 48_000, isVideo: false },
      ],
      rules,
    )
    const pictures = Array.from({ length: 100 }, (_, i) => {
      return { track: 0, comes: i * 0.04, item: sample(i * 0.04, 0.04, i % 50 === 0) }
    })
    const sound = Array.from({ length: 187 }, (_, i) => {
      const item = { at: i * 1024, ticks: 1024, offset: 0, isKey: true, octets: Buffer.alloc(5) }
      return { track: 1, comes: (i * 1024) / 48_000 + lead, item }
    })
    const all = [...pictures, ...sound].toSorted((a, b) => a.comes - b.comes)
    const parts = all.flatMap(({ track, item }) => cutter.take(track, item))
    assert.ok(parts.length >= 8, `${parts.length} parts`)
    for (const { tracks } of parts) {
      const end = tracks[0]!.at(-1)!.at / TICKS + 0.04
      const soundEnd = (tracks[1]!.at(-1)!.at + 1024) / 48_000
      assert.ok(Math.abs(end - soundEnd) <= 0.011, `${end} and ${soundEnd}`)
    }
  }
})

test('a track that stops is waited for, then parts go without it', () => {
  const tracks = [
    { timescale: TICKS, isVideo: true },
    { timescale: TICKS, isVideo: false },
  ]
  const cutter = new Cutter(tracks, rules)
  const parts: CutPart[] = []
  for (let i = 0; i < 100; i++) {
    if (i < 25) parts.push(...cutter.take(1, sample(i * 0.04, 0.04, true)))
    parts.push(...cutter.take(0, sample(i * 0.04, 0.04, i % 50 === 0)))
  }
  assert.equal(parts.filter(({ tracks: [, sound] }) => sound!.length === 0).length, 1)
})

test('what comes before the first key frame is left out, and sound before it too', () => {
  const cutter = new Cutter(
    [
      { timescale: TICKS, isVideo: true },
      { timescale: TICKS, isVideo: false },
    ],
    rules,
  )
  for (let i = 0; i < 20; i++) {
    cutter.take(0, sample(i * 0.04, 0.04, i === 10))
    cutter.take(1, sample(i * 0.04, 0.04, true))
  }
  const [part] = cutter.finish()
  assert.deepEqual(
    part!.tracks.map((samples) => [samples.length, samples[0]!.at]),
    [
      [10, 400],
      [10, 400],
    ],
  )
})

test('a clock that jumps, and more than may wait in memory, end the encoder', () => {
  const cutter = new Cutter([{ timescale: TICKS, isVideo: true }], { ...rules, bufferOctets: 45 })
  cutter.take(0, sample(0, 0.04, true))
  assert.throws(() => cutter.take(0, sample(11, 0.04, true)), CutFault)
  assert.throws(() => cutter.take(0, sample(10.9, 0.04, true)), /jump by -0.1 s/)
  const full = new Cutter([{ timescale: TICKS, isVideo: true }], { ...rules, bufferOctets: 45 })
  for (let i = 0; i < 4; i++) full.take(0, sample(i * 0.04, 0.04, i === 0))
  assert.throws(() => full.take(0, sample(0.16, 0.04, false)), /45 octets wait/)
})
