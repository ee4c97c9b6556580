import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { box, element, matroskaStart, movieHeader, movieStart } from '../../../test/media/movie.ts'
import { isMovie, movieRate } from './movie-rate.ts'

const rate = (file: Uint8Array, fileOctets = file.length): number | null =>
  movieRate((at, length) => file.subarray(at, at + length), fileOctets)

/** A movie header in version 1, whose times and duration have 64 bits. */
function longHeader(timescale: number, duration: bigint): Buffer {
  const content = Buffer.alloc(112)
  content[0] = 1
  content.writeUInt32BE(timescale, 20)
  content.writeBigUInt64BE(duration, 24)
  return box('mvhd', content)
}

/** A box whose length stands in 64 bits. */
function longBox(type: string, content: Uint8Array): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32BE(1)
  head.write(type, 4, 'latin1')
  head.writeBigUInt64BE(BigInt(content.length + 16), 8)
  return Buffer.concat([head, content])
}

/** A duration of all fragments. */
function fragmentsHeader(duration: number): Buffer {
  const content = Buffer.alloc(8)
  content.writeUInt32BE(duration, 4)
  return box('mehd', content)
}

test('the rate of a movie is its length by its duration, wherever that stands', () => {
  const media = Buffer.alloc(1000)
  const cases: [string, Buffer, number][] = [
    ['at the begin', Buffer.concat([box('moov', movieHeader(600, 6000)), box('mdat', media)]), 10],
    ['at the end', Buffer.concat([box('mdat', media), box('moov', movieHeader(600, 6000))]), 10],
    [
      'behind a long box',
      Buffer.concat([longBox('mdat', media), box('moov', longHeader(90_000, 900_000n))]),
      10,
    ],
    ['behind other boxes', box('moov', box('udta', media), movieHeader(1, 7)), 7],
    [
      'of all fragments',
      box('moov', movieHeader(1000, 0), box('mvex', box('trex'), fragmentsHeader(4000))),
      4,
    ],
  ]
  for (const [name, file, seconds] of cases) assert.equal(rate(file), file.length / seconds, name)
  assert.equal(rate(movieStart(1_000_000, 50), 1_000_000), 20_000)
})

test('the rate of a Matroska file is its length by the duration of its Info (RFC 9559 §5.1.2, RFC 8794 §7.3)', () => {
  assert.equal(rate(matroskaStart(50), 1_000_000), 20_000)
  const short = matroskaStart(50).subarray(0, -6)
  const segment = (...data: Buffer[]): Buffer =>
    Buffer.concat([element('1a45dfa3'), element('18538067', ...data)])
  const thirtyTwo = Buffer.alloc(4)
  thirtyTwo.writeFloatBE(4000)
  assert.equal(rate(segment(element('1549a966', element('4489', thirtyTwo))), 4000), 1000)
  for (const file of [short, segment(), segment(element('1f43b675')), segment(element('1549a966'))])
    assert.equal(rate(file, 1_000_000), null)
})

test('what does not say how long it lasts has no rate', () => {
  const files = [
    Buffer.alloc(0),
    Buffer.from('no movie at all, but long enough to look like one'),
    box('mdat', Buffer.alloc(100)),
    box('moov'),
    box('moov', movieHeader(0, 100)),
    box('moov', movieHeader(1000, 0)),
    box('moov', movieHeader(1000, 0xffff_ffff)),
    box('moov', longHeader(1000, 0xffff_ffff_ffff_ffffn)),
    box('moov', movieHeader(1000, 1000)).subarray(0, 30),
  ]
  for (const file of files) assert.equal(rate(file), null, file.toString('latin1', 0, 20))
})

test('no file makes it fail or go on for ever', () => {
  const some = Buffer.concat([
    box('ftyp', Buffer.alloc(8)),
    box('moov', box('udta'), movieHeader(1000, 5000)),
  ])
  const damaged = fc
    .array(fc.tuple(fc.nat(some.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const file = Buffer.from(some)
      for (const [at, octet] of changes) file[at] = octet
      return file
    })
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (file) => {
      const found = rate(file)
      assert.ok(found === null || found > 0)
    }),
    { numRuns: 3000 },
  )
})

test('MP4, Matroska and their kin are movies', () => {
  const mp4 = ['video/mp4', 'video/mp4; codecs="avc1"', 'audio/mp4', 'video/quicktime', 'video/x-m4v']
  const matroska = ['video/webm', 'audio/webm', 'video/matroska', 'video/x-matroska']
  for (const type of [...mp4, ...matroska]) assert.ok(isMovie(type), type)
  for (const type of ['text/html', 'video/mp4x', 'audio/mpeg']) assert.ok(!isMovie(type), type)
})
