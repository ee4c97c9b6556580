import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readIndex } from '#media/movie/matroska-index.ts'
import { octetsOf } from '../../../test/hex.ts'
import { memoryFile } from '../../../test/media/media-files.ts'
import { elementAt, elementsIn, unsigned } from './ebml.ts'
import { MediaFault } from './fault.ts'
import { preSkip, sampleEntryOf } from './matroska-entry.ts'
import { isMatroska, readCues, seekPosition, timestampScale } from './matroska-index.ts'

const headers: [what: string, hex: string, id: number, at: number, size: number | undefined][] = [
  ['one octet each', 'bb 85', 0xbb, 2, 5],
  ['four and eight octets', '1a45dfa3 0100000000000023', 0x1a45dfa3, 12, 0x23],
  ['a size longer than it needs', 'b3 4003', 0xb3, 3, 3],
  ['a size that is not known', '18538067 01ffffffffffffff', 0x18538067, 12, undefined],
  ['a size that is not known in one octet', '1f43b675 ff', 0x1f43b675, 5, undefined],
]

for (const [what, hex, id, at, size] of headers) {
  test(`an element's header with ${what} (RFC 8794 §4, §6)`, () => {
    assert.deepEqual(elementAt(octetsOf(hex), 0), { id, at, octets: size })
    for (let end = 0; end < at; end++) assert.equal(elementAt(octetsOf(hex).subarray(0, end), 0), undefined)
  })
}

test('an identifier of more than four octets is a fault (RFC 8794 §4)', () => {
  assert.throws(() => elementAt(octetsOf('08 1234567890 81'), 0), MediaFault)
})

test('elements end where their octets do, numbers have up to eight octets (RFC 8794 §7.2)', () => {
  const found = elementsIn(octetsOf('b3 82 0102  f7 81 07  b7 84 00'), 100)
  assert.deepEqual(
    found.map(({ element, data }) => [element.id, element.at, unsigned(data)]),
    [
      [0xb3, 102, 258],
      [0xf7, 106, 7],
    ],
  )
})

// SeekHead with Cues at 0x40; Info with a scale of 2 ms; Cues with one point at tick 500 of track 1 in the cluster at 0x30.
const seekHead = '4dbb 8b  53ab 84 1c53bb6b  53ac 81 40'
const info = '2ad7b1 83 1e8480'
const cues = 'bb 8c  b3 82 01f4  b7 86  f7 81 01 f1 81 30'

test('SeekHead, Info and Cues say where the film can be entered (RFC 9559 §4.1, §5, §5.1.1, §5.1.2.9, §5.1.5)', () => {
  assert.equal(seekPosition(octetsOf(seekHead), 0x1c53bb6b), 0x40)
  assert.equal(seekPosition(octetsOf(seekHead), 0x1549a966), undefined)
  assert.equal(timestampScale(octetsOf(info)), 2_000_000)
  assert.equal(timestampScale(octetsOf('')), 1_000_000)
  assert.deepEqual(readCues(octetsOf(cues), 1000, 2_000_000), [
    { track: 1, seconds: 1, cluster: 1048, place: undefined, durationSeconds: 0 },
  ])
  assert.ok(isMatroska(octetsOf('1a45dfa3 84')) && !isMatroska(octetsOf('00000018 66747970')))
})

/** A file whose cues stand before or behind its cluster. */
function film(cuesFirst: boolean): Uint8Array {
  const header = '1a45dfa3 81 00'
  const index = `1c53bb6b ${(0x80 + octetsOf(cues).length).toString(16)} ${cues}`
  const head = `1549a966 ${(0x80 + octetsOf(info).length).toString(16)} ${info}`
  const cluster = '1f43b675 84 e7 82 0000'
  const at = 19 + octetsOf(head).length + octetsOf(cluster).length
  const seeks = `4dbb 8b 53ab 84 1c53bb6b 53ac 81 ${at.toString(16).padStart(2, '0')}`
  const list = `114d9b74 ${(0x80 + octetsOf(seeks).length).toString(16)} ${seeks}`
  const body = cuesFirst ? [head, index, cluster] : [list, head, cluster, index]
  return octetsOf(`${header} 18538067 01ffffffffffffff ${body.join(' ')}`)
}

for (const cuesFirst of [true, false]) {
  test(`cues ${cuesFirst ? 'before' : 'behind'} the clusters are read, and nothing else (RFC 9559 §22)`, async () => {
    const file = memoryFile(film(cuesFirst))
    const { cues: found } = await readIndex(file, 1000)
    assert.deepEqual(
      found.map(({ track, seconds }) => [track, seconds]),
      [[1, 1]],
    )
    await assert.rejects(readIndex(file, 5), /cues at octet \d+ have \d+ octets; 5 is the limit/)
  })
}

test('the heads of Opus and FLAC become boxes: numbers turned, magic gone (RFC 7845 §5.1, RFC 9639 §6)', () => {
  const sound = { codec: '', width: 0, height: 0, channels: 2, sampleRate: 48000 }
  const opus = octetsOf('4f70757348656164 01 02 3801 80bb0000 0000 00')
  assert.equal(preSkip(opus), 312)
  const hex = (entry: Uint8Array | undefined) => Buffer.from(entry!).toString('hex')
  assert.match(
    hex(sampleEntryOf('opus', { ...sound, description: opus })),
    /644f7073 ?0002 ?0138 ?0000bb80 ?000000$/,
  )
  const flac = octetsOf('664c6143 80000022')
  assert.match(hex(sampleEntryOf('flac', { ...sound, description: flac })), /64664c61 ?00000000 ?80000022$/)
})
