import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPlaylist } from '../../../test/media/playlists.ts'
import { type MediaPlaylist, quoted, type Segment, writeMediaPlaylist } from './m3u8.ts'

const vod = { kind: 'VOD', hasEnded: true } as const
const map = { uri: 'init.mp4' }

test('writeMediaPlaylist() says a whole film with its initialization section once (RFC 8216bis §4.4)', () => {
  const segments = [
    { uri: 'a.m4s', durationSeconds: 6, map },
    { uri: 'b.m4s', durationSeconds: 5.9726, map },
  ]
  const text = writeMediaPlaylist({ ...vod, isIndependent: true, segments })
  assert.equal(
    text,
    `#EXTM3U
#EXT-X-VERSION:6
#EXT-X-TARGETDURATION:6
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-MAP:URI="init.mp4"
#EXTINF:6,
a.m4s
#EXTINF:5.9726,
b.m4s
#EXT-X-ENDLIST
`,
  )
  assert.equal(readPlaylist(text).segments.length, 2)
})

const targets: [name: string, durations: number[], wanted: number][] = [
  ['rounds to the nearest', [5.4, 6.49], 6],
  ['rounds a half up', [6.5], 7],
  ['is 1 at least', [0.2], 1],
  ['is 1 without segments', [], 1],
]
for (const [name, durations, wanted] of targets) {
  test(`the target duration ${name} (RFC 8216bis §4.4.3.1)`, () => {
    const segments = durations.map((durationSeconds) => ({ uri: 's', durationSeconds }))
    assert.equal(readPlaylist(writeMediaPlaylist({ ...vod, segments })).targetSeconds, wanted)
  })
}

const plain: Segment = { uri: 's', durationSeconds: 4 }
const versions: [wanted: number, playlist: Partial<MediaPlaylist>][] = [
  [3, { segments: [plain] }],
  [4, { segments: [{ ...plain, range: { from: 0, octets: 9 } }] }],
  [4, { isIFramesOnly: true, segments: [plain] }],
  [5, { isIFramesOnly: true, segments: [{ ...plain, map }] }],
  [6, { segments: [{ ...plain, map }] }],
]
for (const [wanted, playlist] of versions) {
  test(`the version is the least that has what stands in it: ${wanted} for ${JSON.stringify(playlist)} (RFC 8216bis §8)`, () => {
    const text = writeMediaPlaylist({ ...vod, segments: [], ...playlist })
    readPlaylist(text)
    assert.match(text, new RegExp(`^#EXT-X-VERSION:${wanted}$`, 'm'))
  })
}

test('a key holds until the next one, and the section is said again behind it (RFC 8216bis §4.4.4.4, §4.4.4.5)', () => {
  const key = { uri: 'key', iv: '0'.repeat(32) }
  const other = { uri: 'key', iv: '1'.repeat(32) }
  const segments = [
    { ...plain, map, key },
    { ...plain, map, key },
    { ...plain, map, key: other },
    { ...plain, map, key: null },
  ]
  const text = writeMediaPlaylist({ ...vod, segments })
  assert.equal(text.match(/^#EXT-X-MAP/gm)?.length, 3)
  assert.deepEqual(text.match(/^#EXT-X-KEY.*/gm), [
    `#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x${'0'.repeat(32)}`,
    `#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x${'1'.repeat(32)}`,
    '#EXT-X-KEY:METHOD=NONE',
  ])
})

test('a live playlist with parts says what is under way (RFC 8216bis §4.4.3.7, §4.4.3.8, §4.4.4.9, §4.4.5, §6.2.5.1)', () => {
  const parts = [
    { uri: 'p0', durationSeconds: 0.5, isIndependent: true },
    { uri: 'p1', durationSeconds: 0.5, range: { from: 10, octets: 20 } },
  ]
  const text = writeMediaPlaylist({
    kind: null,
    hasEnded: false,
    sequence: 17,
    discontinuitySequence: 2,
    targetSeconds: 4,
    segments: [{ ...plain, map, parts, isDiscontinuity: true, atMs: 0 }],
    live: {
      ...{ partTargetSeconds: 0.5, holdBackSeconds: 12, partHoldBackSeconds: 1.5, canSkipUntilSeconds: 24 },
      ...{ parts: [{ uri: 'p2', durationSeconds: 0.4, isGap: true }], preloadHint: 'p3', skippedSegments: 3 },
      reports: [{ uri: '../b/list.m3u8', lastSequence: 18, lastPart: 0 }],
    },
  })
  const { tags, segments, hasEnded } = readPlaylist(text)
  assert.equal(hasEnded, false)
  assert.equal(segments.length, 1)
  assert.equal(tags.get('EXT-X-PART')?.length, 3)
  for (const line of [
    '#EXT-X-VERSION:9',
    '#EXT-X-SKIP:SKIPPED-SEGMENTS=3',
    '#EXT-X-PROGRAM-DATE-TIME:1970-01-01T00:00:00.000Z',
    '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p3"',
    '#EXT-X-RENDITION-REPORT:URI="../b/list.m3u8",LAST-MSN=18,LAST-PART=0',
  ]) {
    assert.ok(text.includes(`${line}\n`), line)
  }
})

test('quoted() leaves out what a quoted-string cannot have (RFC 8216bis §4.2)', () => {
  assert.equal(quoted('a"b\r\nc'), '"abc"')
})
