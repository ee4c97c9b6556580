import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { initSegment } from '#media/segment/init.ts'
import { keyFramesOf, keySegment } from '#media/segment/key-frames.ts'
import { mediaSegment, segmentSpan } from '#media/segment/segment.ts'
import { box, u16, u32, u64, zeros } from '#media/wire/bmff-write.ts'
import { MediaFault } from '#media/wire/fault.ts'
import {
  beforeMovie,
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
import { decodeMovie, encodeMovie } from './index-octets.ts'
import type { Cut, Movie, SegmentLayout } from './movie.ts'
import { openMovie } from './open.ts'

const limits = { indexOctets: 1_000_000, samples: 100_000, boxes: 1000 }

/** Open a file and lay out what it says: a fault with a reason, or segments inside of the file. */
async function examine(content: Uint8Array): Promise<'offered' | string> {
  const file = memoryFile(content)
  let movie: Movie
  try {
    movie = await openMovie(file, limits)
  } catch (error) {
    assert.ok(error instanceof MediaFault, `${(error as Error).stack}`)
    assert.equal(error.status, 422)
    assert.match(error.message, /\d|neither video nor audio/, `says where or how many: ${error.message}`)
    return error.message
  }
  const decoded = decodeMovie(encodeMovie(movie))
  assert.deepEqual(decoded, movie)
  checkOwn(decoded)
  const cuts = cutsOf(movie, 2)
  for (const { id, kind } of movie.tracks) {
    assert.ok(initSegment(movie, id).length < 100_000)
    for (const cut of [...cuts.slice(0, 20), ...cuts.slice(-3)]) checkSegment(movie, id, cut, content.length)
    if (kind !== 'video') continue
    for (const key of keyFramesOf(movie, id).slice(0, 5))
      checkLayout(keySegment(movie, id, key), content.length)
  }
  return 'offered'
}

/** What is kept of a film keeps nothing else alive. */
function checkOwn(value: unknown): void {
  if (value === null || typeof value !== 'object') return
  if (ArrayBuffer.isView(value)) assert.equal(value.buffer.byteLength, value.byteLength)
  else for (const part of Object.values(value)) checkOwn(part)
}

function checkSegment(movie: Movie, id: number, cut: Cut, fileOctets: number): void {
  const layout = mediaSegment(movie, id, cut)
  const span = segmentSpan(movie, id, cut)
  assert.equal(span.octets, layout.octets)
  assert.ok(span.startSeconds >= 0 && span.durationSeconds >= 0, JSON.stringify(span))
  checkLayout(layout, fileOctets)
}

function checkLayout({ pieces, octets }: SegmentLayout, fileOctets: number): void {
  let sum = 0
  for (const piece of pieces) {
    if (!(piece instanceof Uint8Array)) {
      assert.ok(
        piece.from >= 0 && piece.octets >= 0 && piece.from + piece.octets <= fileOctets,
        JSON.stringify(piece),
      )
    }
    sum += piece instanceof Uint8Array ? piece.length : piece.octets
  }
  assert.equal(sum, octets)
}

const film = () => movieBox(videoTrack())
const stbl = 'trak/mdia/minf/stbl'

test('a film made by hand is offered, in both ways', async () => {
  assert.equal(await examine(filmOf(film())), 'offered')
  assert.equal(await examine(fragmentedFilm([fragment(0), fragment(1536)])), 'offered')
})

const whole = filmOf(film())
const fragments = fragmentedFilm([fragment(0), fragment(1536)])

/** Where each box of a file begins, at every depth, and how many octets are left from there. */
function boxPlaces(content: Uint8Array): { type: string; at: number; octets: number }[] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength)
  const types = [
    'ftyp',
    'mdat',
    'moov',
    'mvhd',
    'trak',
    'tkhd',
    'edts',
    'elst',
    'mdia',
    'mdhd',
    'hdlr',
    'minf',
    'stbl',
  ]
  const tables = ['stsd', 'avc1', 'avcC', 'stts', 'ctts', 'stss', 'stsc', 'stsz', 'stco', 'mvex', 'trex']
  const fragment = ['moof', 'mfhd', 'traf', 'tfhd', 'tfdt', 'trun']
  const known = new Set([...types, ...tables, ...fragment])
  const places: { type: string; at: number; octets: number }[] = []
  for (let at = 0; at + 8 <= content.length; at++) {
    const type = String.fromCharCode(...content.subarray(at + 4, at + 8))
    if (known.has(type)) places.push({ type, at, octets: view.getUint32(at) })
  }
  return places
}

function withSize(content: Uint8Array, at: number, octets: number): Uint8Array {
  const changed = content.slice()
  new DataView(changed.buffer).setUint32(at, octets)
  return changed
}

for (const [name, content] of [
  ['moov', whole],
  ['fragments', fragments],
] as const) {
  test(`a film with ${name} that ends at any of its boxes is refused, or played up to there`, async () => {
    for (const { at, octets } of boxPlaces(content)) {
      for (const end of [at, at + 4, at + 8, at + Math.floor(octets / 2), at + octets - 1]) {
        await examine(content.subarray(0, end))
      }
    }
  })

  test(`a film with ${name} whose boxes lie about their size is refused, or read without what is wrong`, async () => {
    const places = boxPlaces(content)
    assert.ok(places.length >= 20, `${places.length} boxes`)
    for (const { at, octets } of places) {
      for (const size of [0, 1, 2, 7, 8, octets - 1, octets + 1, octets + 8, 0x7fffffff, 0xffffffff]) {
        await examine(withSize(content, at, size))
      }
    }
  })
}

const most = 0xffffffff

/** A fault a line: what is odd, how the film gets it, what the reason says; undefined when it is offered all the same. */
const odd: [what: string, change: (moov: Draft) => void, reason: RegExp | undefined][] = [
  [
    '2^32 durations',
    (moov) => fill(moov, `${stbl}/stts`, table(most, 6, 512)),
    /stts .* says 4294967295 entries/,
  ],
  [
    '2^32 offsets of composition',
    (moov) => fill(moov, `${stbl}/ctts`, table(most, 6, 512)),
    /ctts .* says 4294967295/,
  ],
  [
    '2^32 sync samples',
    (moov) => fill(moov, `${stbl}/stss`, table(most, 1)),
    /stss .* says 4294967295 entries/,
  ],
  [
    '2^32 runs of chunks',
    (moov) => fill(moov, `${stbl}/stsc`, table(most, 1, 3, 1)),
    /stsc .* says 4294967295/,
  ],
  ['2^32 chunks', (moov) => fill(moov, `${stbl}/stco`, table(most, 24)), /stco .* says 4294967295 entries/],
  [
    '2^32 samples',
    (moov) => fill(moov, `${stbl}/stsz`, table(0, most, 10)),
    /stsz .* says 4294967295 samples/,
  ],
  [
    '2^32 samples of one size',
    (moov) => fill(moov, `${stbl}/stsz`, table(10, most)),
    /stsz .* says 4294967295/,
  ],
  [
    '2^32 edits',
    (moov) => fill(moov, 'trak/edts/elst', table(most, 240, 1024, 0x10000)),
    /elst .* ends after/,
  ],
  ['a run of 2^32 durations', (moov) => fill(moov, `${stbl}/stts`, table(1, most, 512)), undefined],
  ['durations that end early', (moov) => fill(moov, `${stbl}/stts`, table(1, 2, 512)), undefined],
  [
    'a duration below 0',
    (moov) => fill(moov, `${stbl}/stts`, table(1, 6, -512)),
    /duration of -512 at sample 1/,
  ],
  [
    'durations of 68 years',
    (moov) => {
      fill(moov, `${stbl}/stts`, table(1, 6, 0x7fffffff))
      fill(moov, 'trak/mdia/mdhd', u32(0, 0, 0, 1, 0), u16(0, 0))
    },
    /seconds; 604800 \(a week\)/,
  ],
  ['no duration', (moov) => fill(moov, `${stbl}/stts`, table(1, 6, 0)), undefined],
  ['pictures long after decoding', (moov) => fill(moov, `${stbl}/ctts`, table(1, 6, 0x7fffffff)), undefined],
  ['pictures long before decoding', (moov) => fill(moov, `${stbl}/ctts`, table(1, 6, 0x80000000)), undefined],
  [
    'key frames that go back',
    (moov) => fill(moov, `${stbl}/stss`, table(2, 4, 1)),
    /stss .* names sample 1 as entry 2/,
  ],
  ['key frame 0', (moov) => fill(moov, `${stbl}/stss`, table(1, 0)), /stss .* names sample 0/],
  ['a key frame behind the end', (moov) => fill(moov, `${stbl}/stss`, table(1, 7)), /stss .* names sample 7/],
  ['no key frame', (moov) => fill(moov, `${stbl}/stss`, table(0)), /no sync sample/],
  ['a key frame in the middle alone', (moov) => fill(moov, `${stbl}/stss`, table(1, 4)), undefined],
  [
    'chunks that go back',
    (moov) => fill(moov, `${stbl}/stsc`, table(3, 1, 3, 1, 2, 3, 1, 1, 3, 1)),
    /stsc .* run 2/,
  ],
  ['first chunk 0', (moov) => fill(moov, `${stbl}/stsc`, table(1, 0, 3, 1)), /stsc .* run 1/],
  [
    'chunks behind the last',
    (moov) => fill(moov, `${stbl}/stsc`, table(2, 1, 1, 1, 9, 3, 1)),
    /stsc .* run 1/,
  ],
  [
    'chunks without samples',
    (moov) => fill(moov, `${stbl}/stsc`, table(1, 1, 0, 1)),
    /places 0 samples in 2 chunks/,
  ],
  ['chunks of 2^32 samples', (moov) => fill(moov, `${stbl}/stsc`, table(1, 1, most, 1)), undefined],
  [
    'sample entry 9',
    (moov) => fill(moov, `${stbl}/stsc`, table(1, 1, 3, 9)),
    /names sample entry 9; stsd has 1/,
  ],
  [
    'sample entry 0',
    (moov) => fill(moov, `${stbl}/stsc`, table(1, 1, 3, 0)),
    /names sample entry 0; stsd has 1/,
  ],
  [
    'too few chunks',
    (moov) => fill(moov, `${stbl}/stco`, table(1, 24)),
    /places 3 samples in 1 chunks; there are 6/,
  ],
  [
    'chunks behind the file',
    (moov) => fill(moov, `${stbl}/stco`, table(2, 24, 1e9)),
    /up to octet 1000000030, .* cut short/,
  ],
  ['samples behind the file', (moov) => fill(moov, `${stbl}/stsz`, table(1e6, 6)), /stsz .* says 6 samples/],
  ['samples without octets', (moov) => fill(moov, `${stbl}/stsz`, table(0, 6, 0, 0, 0, 0, 0, 0)), undefined],
  ['no samples', (moov) => fill(moov, `${stbl}/stsz`, table(0, 0)), /it must ascend up to 0/],
  [
    'a clock that stands',
    (moov) => fill(moov, 'trak/mdia/mdhd', u32(0, 0, 0, 0, 0), u16(0, 0)),
    /timescale of 0/,
  ],
  ['a movie clock that stands', (moov) => fill(moov, 'mvhd', u32(0, 0, 0, 0, 0)), /timescale of 0/],
  ['a clock of 2^32', (moov) => fill(moov, 'trak/mdia/mdhd', u32(0, 0, 0, most, 0), u16(0, 0)), undefined],
  ['an edit before the media', (moov) => fill(moov, 'trak/edts/elst', table(1, 240, -2, 0x10000)), undefined],
  [
    'an edit at half the rate',
    (moov) => fill(moov, 'trak/edts/elst', table(1, 240, 0, 0x8000)),
    /a rate of 0.5/,
  ],
  ['an edit that dwells', (moov) => fill(moov, 'trak/edts/elst', table(1, 240, 0, 0)), /a rate of 0:/],
  [
    'edits that jump',
    (moov) => fill(moov, 'trak/edts/elst', table(2, 80, 0, 65536, 80, 2048, 65536)),
    /jumps from tick 1024/,
  ],
  [
    'edits that go on',
    (moov) => fill(moov, 'trak/edts/elst', table(2, 80, 0, 65536, 80, 1024, 65536)),
    undefined,
  ],
  ['an edit behind the end', (moov) => fill(moov, 'trak/edts/elst', table(1, 240, 1e9, 0x10000)), undefined],
  [
    'an empty edit of 49 days',
    (moov) => fill(moov, 'trak/edts/elst', table(2, most, -1, 65536, 240, 0, 65536)),
    undefined,
  ],
  [
    'an edit at 2^62',
    (moov) => fill(moov, 'trak/edts/elst', u32(1 << 24, 1), u64(0, 2 ** 62), u32(65536)),
    /ticks from 0/,
  ],
  [
    'a handler nobody knows',
    (moov) => fill(moov, 'trak/mdia/hdlr', u32(0, 0, 0, 0, 0, 0)),
    /neither video nor audio/,
  ],
  ['no sample entry', (moov) => fill(moov, `${stbl}/stsd`, table(0)), /says 0 sample entries/],
  [
    '2^32 sample entries',
    (moov) => fill(moov, `${stbl}/stsd`, table(most)),
    /says 4294967295 sample entries; 0 are/,
  ],
  [
    'an entry without configuration',
    (moov) => fill(moov, `${stbl}/stsd/avc1`, zeros(78)),
    /avc1 .* has no avcC/,
  ],
  [
    'an entry that is cut short',
    (moov) => fill(moov, `${stbl}/stsd/avc1`, zeros(20)),
    /avc1 .* ends after 20 octets/,
  ],
  [
    'a configuration cut short',
    (moov) => fill(moov, `${stbl}/stsd/avc1/avcC`, zeros(2)),
    /avcC .* ends after 2/,
  ],
  ['a compressed index', (moov) => void moov.parts.push(draftOf('cmov')), /compressed \(cmov\)/],
  ['the same track twice', (moov) => void moov.parts.push(videoTrack(1)), undefined],
  [
    'a thousand tracks',
    (moov) => void moov.parts.push(...Array.from({ length: 999 }, () => videoTrack())),
    /64 is the limit/,
  ],
]

for (const [what, change, reason] of odd) {
  test(`a film with ${what} is ${reason ? 'refused, and says why' : 'offered as well as can be'}`, async () => {
    const moov = film()
    change(moov)
    const said = await examine(filmOf(moov))
    if (reason) assert.match(said, reason)
    else assert.equal(said, 'offered')
  })
}

const neededBoxes = [
  'trak/tkhd',
  'trak/mdia',
  'trak/mdia/mdhd',
  'trak/mdia/hdlr',
  'trak/mdia/minf',
  stbl,
  'mvhd',
]
const neededTables = ['stsd', 'stts', 'stsc', 'stsz', 'stco'].map((type) => `${stbl}/${type}`)

for (const path of [...neededBoxes, ...neededTables]) {
  test(`a film without ${path} is refused, and says so`, async () => {
    const moov = film()
    boxAt(moov, path).type = 'free'
    assert.match(await examine(filmOf(moov)), new RegExp(path.split('/').at(-1)!))
  })
}

const oddFragments: [what: string, change: (moof: Draft) => void, reason: RegExp | undefined][] = [
  ['no tfhd', (moof) => fill(moof, 'traf', zeros(0)), /has no tfhd/],
  ['a track nobody knows', (moof) => fill(moof, 'traf/tfhd', u32(0x20000, 7)), undefined],
  [
    'a sample entry nobody knows',
    (moof) => fill(moof, 'traf/tfhd', u32(0x20002, 1, 9)),
    /names sample entry 9/,
  ],
  [
    '2^32 samples',
    (moof) => fill(moof, 'traf/trun', u32(0x1, most, 100)),
    /sample \d+ ends at octet|more than 100000/,
  ],
  [
    '2^32 samples with sizes',
    (moof) => fill(moof, 'traf/trun', u32(0x201, most, 100)),
    /says 4294967295 samples/,
  ],
  ['samples before the file', (moof) => fill(moof, 'traf/trun', u32(0x1, 3, 0x80000000)), /ends at octet -/],
  ['samples behind the file', (moof) => fill(moof, 'traf/trun', u32(0x1, 3, 0x7fffffff)), /the file has/],
  ['a duration of 2^32', (moof) => fill(moof, 'traf/tfhd', u32(0x20008, 1, most)), /4294967295 ticks/],
  ['a base at 2^63', (moof) => fill(moof, 'traf/tfhd', u32(0x1, 1, 0x80000000, 0)), /ends at octet/],
  [
    'samples without octets or end',
    (moof) => {
      fill(moof, 'traf/tfhd', u32(0x20010, 1, 0))
      fill(moof, 'traf/trun', u32(0x1, most, 100))
    },
    /more than 100000 samples/,
  ],
  [
    'a time of 2^63',
    (moof) => fill(moof, 'traf/tfdt', u32(1 << 24, 0x80000000, 0)),
    /begins .* ticks from 0|begins at tick/,
  ],
  ['no time', (moof) => void (boxAt(moof, 'traf/tfdt').type = 'free'), undefined],
]

for (const [what, change, reason] of oddFragments) {
  test(`a fragment with ${what} is ${reason ? 'refused, and says why' : 'taken or passed over'}`, async () => {
    const [first, second] = [fragment(0), fragment(1536)]
    change(first)
    const said = await examine(fragmentedFilm([first, second]))
    if (reason) assert.match(said, reason)
    else assert.equal(said, 'offered')
  })
}

const oddFiles: [what: string, content: () => Uint8Array, reason: RegExp][] = [
  ['is empty', () => zeros(0), /no index \(moov\) in its 0 octets/],
  ['is all zeros', () => zeros(1000), /begins with/],
  [
    'is text',
    () => new TextEncoder().encode('<html><body>404 Not Found</body></html>'),
    /begins with l><b|begins with/,
  ],
  ['has no index', () => beforeMovie(), /no index \(moov\)/],
  [
    'has an index of 2^40 octets',
    () => Buffer.concat([box('ftyp'), u32(1), Buffer.from('moov'), u32(256, 0)]),
    /1099511627776/,
  ],
  [
    'has an index above the limit',
    () => Buffer.concat([box('ftyp'), box('moov', zeros(1_100_000))]),
    /1000000 is the limit/,
  ],
  [
    'has boxes without end',
    () => Buffer.concat(Array.from({ length: 2000 }, () => box('free'))),
    /more than 1000 boxes/,
  ],
  [
    'has fragments before its index',
    () => Buffer.concat([box('ftyp'), written(fragment(0))]),
    /and no moov before it/,
  ],
  [
    'has fragments that go back in time',
    () => fragmentedFilm([fragment(1536), fragment(0)]),
    /begins at tick|-?\d/,
  ],
  [
    'has fragments of no track',
    () => Buffer.from(Buffer.from(fragments).toString('latin1').replaceAll('trak', 'xrak'), 'latin1'),
    /neither video nor audio/,
  ],
  ['has a box in a box, 10000 deep', () => Buffer.concat([box('ftyp'), nested(10_000)]), /mvhd|\d/],
]

function nested(depth: number): Uint8Array {
  const octets = zeros(depth * 8)
  const view = new DataView(octets.buffer)
  for (let i = 0; i < depth; i++) {
    view.setUint32(i * 8, (depth - i) * 8)
    octets.set(new TextEncoder().encode('moov'), i * 8 + 4)
  }
  return octets
}

for (const [what, content, reason] of oddFiles) {
  test(`a file that ${what} is refused, and says why`, async () => {
    assert.match(await examine(content()), reason)
  })
}

test('whatever octets change in a film, it is refused or offered, in time that its length bounds', async () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  })
  const property = fc.asyncProperty(fc.constantFrom(whole, fragments), changes, async (content, places) => {
    const changed = content.slice()
    for (const [at, value] of places) changed[at % changed.length] = value
    const begun = performance.now()
    await examine(changed)
    assert.ok(performance.now() - begun < 2000)
  })
  await fc.assert(property, { numRuns: Number(process.env['PORTICO_FUZZ_RUNS'] ?? 3000) })
})
