import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSegment } from '#media/segment/gather.ts'
import { initSegment } from '#media/segment/init.ts'
import { mediaSegment, segmentSpan } from '#media/segment/segment.ts'
import { boxesIn, childOf, children } from '#media/wire/bmff.ts'
import { box, u16, u32, u64, zeros } from '#media/wire/bmff-write.ts'
import {
  boxAt,
  type Draft,
  draftOf,
  fill,
  filmOf,
  fragment,
  fragmentedFilm,
  movieBox,
  table,
  videoTrack,
  written,
} from '../../../test/media/handmade-film.ts'
import { memoryFile } from '../../../test/media/media-files.ts'
import { cutsOf } from './cuts.ts'
import type { Cut, Movie } from './movie.ts'
import { openMovie } from './open.ts'
import { presentationTime } from './track.ts'

const stbl = 'trak/mdia/minf/stbl'

/** What a film made by hand has in its samples, as long as each is where the index says. */
const sixSamples = Array.from({ length: 60 }, (_, i) => i)

const forms: [what: string, change: (moov: Draft) => void][] = [
  ['as it is', () => {}],
  ['with offsets of 64 bits', (moov) => rename(moov, 'stco', 'co64', u32(0, 2), u64(24, 54))],
  [
    'with sizes of 4 bits',
    (moov) => rename(moov, 'stsz', 'stz2', table(4, 6), Uint8Array.of(0xaa, 0xaa, 0xaa)),
  ],
  ['with sizes of 8 bits', (moov) => rename(moov, 'stsz', 'stz2', table(8, 6), new Uint8Array(6).fill(10))],
  [
    'with sizes of 16 bits',
    (moov) => rename(moov, 'stsz', 'stz2', table(16, 6), u16(10, 10, 10, 10, 10, 10)),
  ],
  ['with one size for all', (moov) => fill(moov, `${stbl}/stsz`, table(10, 6))],
  [
    'with a chunk a sample',
    (moov) => {
      fill(moov, `${stbl}/stsc`, table(1, 1, 1, 1))
      fill(moov, `${stbl}/stco`, table(6, 24, 34, 44, 54, 64, 74))
    },
  ],
  [
    'with headers of version 1',
    (moov) => {
      fill(moov, 'mvhd', u32(1 << 24), u64(0, 0), u32(1000), u64(240), zeros(80))
      fill(moov, 'trak/mdia/mdhd', u32(1 << 24), u64(0, 0), u32(12800), u64(3072), u16(0x55c4, 0))
      fill(moov, 'trak/edts/elst', u32(1 << 24, 1), u64(240, 1024), u16(1, 0))
    },
  ],
]

function rename(moov: Draft, from: string, to: string, ...parts: Uint8Array[]): void {
  const found = boxAt(moov, `${stbl}/${from}`)
  found.type = to
  found.parts = parts
}

for (const [what, change] of forms) {
  test(`the samples of an index ${what} are found`, async () => {
    const moov = movieBox(videoTrack())
    change(moov)
    const file = memoryFile(filmOf(moov))
    const movie = await openMovie(file)
    const [track] = movie.tracks
    assert.deepEqual(
      [0, 1, 2, 3].map((sample) => presentationTime(track!, sample)),
      [0, 512, 512, 1024],
    )
    assert.deepEqual(await samplesIn(movie, file), sixSamples)
  })
}

test('an index behind 64 bits of mdat is found without reading mdat', async () => {
  const moov = movieBox(videoTrack())
  fill(moov, `${stbl}/stco`, table(2, 32, 62))
  const samples = Uint8Array.from(sixSamples)
  const large = 50_000_000
  const mdat = Buffer.concat([u32(1), Buffer.from('mdat'), u64(16 + large), samples, zeros(large - 60)])
  const file = memoryFile(Buffer.concat([box('ftyp', 'isom', zeros(4)), mdat, written(moov)]))
  const movie = await openMovie(file)
  assert.deepEqual(await samplesIn(movie, file), sixSamples)
  assert.ok(file.reads.length <= 3, `${file.reads.length} reads`)
  assert.ok(file.reads.reduce((sum, { octets }) => sum + octets, 0) < 100_000)
})

async function samplesIn(movie: Movie, file: ReturnType<typeof memoryFile>): Promise<number[]> {
  const [cut] = cutsOf(movie, 10)
  const { pieces } = mediaSegment(movie, 1, cut!)
  const ranges = pieces.filter((piece) => !(piece instanceof Uint8Array))
  const parts = await Array.fromAsync(readSegment(file, { pieces: ranges, octets: 60 }))
  return parts.flatMap((part) => [...part])
}

test('where the sample entry changes, a segment has a fragment of each, and init has both', async () => {
  const moov = movieBox(videoTrack())
  const stsd = boxAt(moov, `${stbl}/stsd`)
  const second = structuredClone(stsd.parts[1] as Draft)
  second.type = 'avc3'
  stsd.parts = [table(2), stsd.parts[1]!, second]
  fill(moov, `${stbl}/stsc`, table(2, 1, 3, 1, 2, 3, 2))
  const file = memoryFile(filmOf(moov))
  const movie = await openMovie(file)
  assert.equal(movie.tracks[0]!.entries.length, 2)
  const layout = mediaSegment(movie, 1, cutsOf(movie, 10)[0]!)
  const octets = Buffer.concat(await Array.fromAsync(readSegment(file, layout)))
  const boxes = boxesIn(octets, 0)
  assert.deepEqual(
    boxes.map(({ type }) => type),
    ['styp', 'moof', 'mdat', 'moof', 'mdat'],
  )
  const entries = boxes
    .filter(({ type }) => type === 'moof')
    .map((moof) => {
      const tfhd = childOf(children(childOf(children(moof), 'traf')!), 'tfhd')!
      return tfhd.content[11]
    })
  assert.deepEqual(entries, [1, 2])
  assert.equal(segmentSpan(movie, 1, cutsOf(movie, 10)[0]!).octets, octets.length)
  assert.deepEqual([...boxes[2]!.content, ...boxes[4]!.content], sixSamples)
})

const languages: [packed: number, elng: string | undefined, language: string][] = [
  [0x15c7, undefined, 'en'],
  [0x10b5, undefined, 'de'],
  [0x55c4, undefined, 'und'],
  [0x15c7, 'en-GB\0', 'en-GB'],
  [0x55c4, 'zh-hant', 'zh-Hant'],
  [0x15c7, '../../etc', 'en'],
  [0, undefined, 'und'],
]

for (const [packed, elng, language] of languages) {
  test(`the language of ${packed.toString(16)} ${elng ?? ''} is ${language}`, async () => {
    const moov = movieBox(videoTrack())
    fill(moov, 'trak/mdia/mdhd', u32(0, 0, 0, 12800, 3072), u16(packed, 0))
    if (elng) boxAt(moov, 'trak/mdia').parts.push(draftOf('elng', u32(0), new TextEncoder().encode(elng)))
    const movie = await openMovie(memoryFile(filmOf(moov)))
    assert.equal(movie.tracks[0]!.language, language)
    assert.ok(initSegment(movie, 1).length > 0)
  })
}

test('a picture on its side is as large as it is shown, and init turns it', async () => {
  const moov = movieBox(videoTrack())
  const turned = u32(0, 0x10000, 0, 0xffff0000, 0, 0, 48 << 16, 0, 0x40000000)
  fill(moov, 'trak/tkhd', u32(3, 0, 0, 1, 0, 240), zeros(16), turned, u32(64 << 16, 48 << 16))
  const movie = await openMovie(memoryFile(filmOf(moov)))
  const [track] = movie.tracks
  assert.deepEqual([track!.width, track!.height], [48, 64])
  const init = Buffer.from(initSegment(movie, 1))
  assert.ok(init.includes(Buffer.concat([turned, u32(64 << 16, 48 << 16)])), 'matrix and coded size')
})

test('a recording that was cut off in a fragment has the ones before', async () => {
  const whole = fragmentedFilm([fragment(0), fragment(1536), fragment(3072)])
  const movie = await openMovie(memoryFile(whole.subarray(0, whole.length - 38 - 50)))
  assert.equal(movie.tracks[0]!.samples.count, 6)
})

test('a recording that began late begins at 0', async () => {
  const movie = await openMovie(memoryFile(fragmentedFilm([fragment(1_000_000), fragment(1_001_536)])))
  const [track] = movie.tracks
  assert.deepEqual(
    [0, 3].map((sample) => presentationTime(track!, sample)),
    [0, 1536],
  )
})

test('cuts are at the key frames nearest to the grid, a short tail joins the segment before', async () => {
  const keysAt = async (keys: number[], frames: number) => {
    const moov = movieBox(videoTrack())
    fill(moov, `${stbl}/stts`, table(1, frames, 512))
    fill(moov, `${stbl}/ctts`, table(0))
    fill(moov, `${stbl}/stss`, table(keys.length, ...keys.map((key) => key + 1)))
    fill(moov, `${stbl}/stsc`, table(1, 1, frames, 1))
    fill(moov, `${stbl}/stco`, table(1, 24))
    fill(moov, `${stbl}/stsz`, table(0, frames, ...new Array<number>(frames).fill(0)))
    boxAt(moov, 'trak/edts').type = 'free'
    return openMovie(memoryFile(filmOf(moov)))
  }
  const starts = (cuts: readonly Cut[]) => cuts.map(({ startTicks }) => startTicks / 512)
  const even = await keysAt([0, 50, 100, 150, 200, 250], 300)
  assert.deepEqual(starts(cutsOf(even, 2)), [0, 50, 100, 150, 200, 250])
  assert.deepEqual(starts(cutsOf(even, 4)), [0, 100, 200])
  assert.deepEqual(starts(cutsOf(even, 3)), [0, 50, 150, 200], 'the one nearest to 3 s, 6 s and 9 s')
  assert.deepEqual(
    cutsOf(await keysAt([0, 50, 100], 110), 2).map(({ durationSeconds }) => durationSeconds),
    [2, 2.4],
  )
  // Another rendition has more key frames of its own, and lacks one: cuts are where both have them.
  const other = await keysAt([0, 37, 50, 77, 150, 200, 222, 250], 300)
  assert.deepEqual(starts(cutsOf(even, 2, [other])), [0, 50, 150, 200, 250])
  assert.deepEqual(starts(cutsOf(other, 2, [even])), [0, 50, 150, 200, 250])
})
