import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broadcastOf, newsOf } from '../../../../test/media/live-broadcast.ts'
import { readPlaylist } from '../../../../test/media/playlists.ts'
import * as playlists from './playlist.ts'

/** Each playlist that is written here is read as strictly as the specification says. */
function judged(text: string): string {
  readPlaylist(text)
  return text
}
const mediaPlaylist = (...given: Parameters<typeof playlists.mediaPlaylist>) =>
  judged(playlists.mediaPlaylist(...given))
const multivariantPlaylist = (...given: Parameters<typeof playlists.multivariantPlaylist>) =>
  judged(playlists.multivariantPlaylist(...given))

/** Lines of a kind. */
function linesOf(playlist: string, tag: string): string[] {
  return playlist.split('\n').filter((line) => line.startsWith(tag))
}

test('a media playlist has its segments, the parts of three target durations, and a hint (RFC 8216 §4.3)', () => {
  const playlist = mediaPlaylist(broadcastOf(6, 2), 0, false)
  assert.deepEqual(playlist.split('\n').slice(0, 11), [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-TARGETDURATION:4',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24,HOLD-BACK=12,PART-HOLD-BACK=1.2',
    '#EXT-X-PART-INF:PART-TARGET=0.4',
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-MAP:URI="v0-init-1.mp4"',
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.000Z',
    '#EXTINF:4,',
    'v0-0.m4s',
  ])
  assert.deepEqual(playlist.split('\n').slice(-6), [
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:29.000Z',
    '#EXT-X-PART:DURATION=0.4,URI="v0-6.0.m4s",INDEPENDENT=YES',
    '#EXT-X-PART:DURATION=0.4,URI="v0-6.1.m4s"',
    '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="v0-6.2.m4s"',
    '#EXT-X-RENDITION-REPORT:URI="a0.m3u8",LAST-MSN=6,LAST-PART=1',
    '',
  ])
  // 12 s before 24.8 s, in whole segments.
  assert.equal(linesOf(playlist, '#EXT-X-PART:').length, 32)
})

test('the playlist of the sound has times of its own, and each of its parts can be decoded', () => {
  const playlist = mediaPlaylist(broadcastOf(1, 0), 1, false)
  assert.deepEqual(linesOf(playlist, '#EXT-X-PART-INF'), ['#EXT-X-PART-INF:PART-TARGET=0.42133'])
  assert.ok(linesOf(playlist, '#EXT-X-PART:').every((line) => line.endsWith('INDEPENDENT=YES')))
  assert.match(playlist, /LAST-MSN=0,LAST-PART=9\n/)
  assert.match(playlist, /TYPE=PART,URI="a0-1.0.m4s"/)
})

test('an update leaves out what lies six target durations before the end', () => {
  const playlist = mediaPlaylist(broadcastOf(12, 3), 0, true)
  assert.deepEqual(linesOf(playlist, '#EXT-X-SKIP'), ['#EXT-X-SKIP:SKIPPED-SEGMENTS=6'])
  assert.equal(linesOf(playlist, '#EXTINF').length, 6)
  assert.equal(linesOf(mediaPlaylist(broadcastOf(3, 3), 0, true), '#EXT-X-SKIP').length, 0)
})

test('an encoder that came back stands behind a discontinuity, with an initialisation segment of its own', () => {
  const broadcast = broadcastOf(2, 3)
  broadcast.apply({ kind: 'lost', atMs: 0, why: 'silent' })
  const lost = mediaPlaylist(broadcast, 0, false)
  assert.equal(linesOf(lost, '#EXT-X-PRELOAD-HINT').length, 0)
  assert.doesNotMatch(lost, /#EXT-X-(?:SERVER-CONTROL|PART)/)
  for (const news of newsOf(1, 1, 9.2, 2)) broadcast.apply(news)
  const lines = mediaPlaylist(broadcast, 0, false).split('\n')
  const at = lines.indexOf('#EXT-X-DISCONTINUITY')
  assert.deepEqual(lines.slice(at - 1, at + 3), [
    'v0-2.m4s',
    '#EXT-X-DISCONTINUITY',
    '#EXT-X-MAP:URI="v0-init-2.mp4"',
    '#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:14.200Z',
  ])
  // A discontinuity counts when it has left with its segment.
  broadcast.apply({ kind: 'dropped', msn: 3, discontinuities: 0 })
  assert.match(mediaPlaylist(broadcast, 0, false), /MEDIA-SEQUENCE:3\n#EXT-X-DISCONTINUITY\n/)
})

test('a broadcast that is over has an end, and no more parts', () => {
  const broadcast = broadcastOf(2, 3)
  broadcast.apply({ kind: 'ended', atMs: 0 })
  const playlist = mediaPlaylist(broadcast, 0, false)
  assert.ok(playlist.endsWith('v0-2.m4s\n#EXT-X-ENDLIST\n'))
  assert.doesNotMatch(playlist, /#EXT-X-(?:PART:|PRELOAD-HINT|RENDITION-REPORT|SERVER-CONTROL)/)
  assert.match(playlist, /#EXTINF:1.2,\n/)
})

test('sound that is missing for a while is a gap', () => {
  const broadcast = broadcastOf(0, 5)
  const nothing = { at: 0, ticks: 0, octets: 0 }
  broadcast.apply({
    kind: 'part',
    independent: false,
    closes: false,
    tracks: [{ at: 2000, ticks: 400, octets: 9 }, nothing],
  })
  assert.match(mediaPlaylist(broadcast, 1, false), /DURATION=0.4,URI="a0-0.5.m4s",INDEPENDENT=YES,GAP=YES/)
})

test('the part that an encoder broke off in is in the playlists of the tracks that have something of it', () => {
  const broadcast = broadcastOf(0, 5)
  const nothing = { at: 0, ticks: 0, octets: 0 }
  const tracks = [{ at: 2000, ticks: 400, octets: 9 }, nothing]
  broadcast.apply({ kind: 'part', independent: false, closes: true, tracks })
  for (const news of newsOf(1, 1, 2.4, 2)) broadcast.apply(news)
  const parts = [0, 1].map((track) => linesOf(mediaPlaylist(broadcast, track, false), '#EXT-X-PART:'))
  assert.deepEqual(
    parts.map((lines) => lines.filter((line) => line.includes('0-0.')).length),
    [6, 5],
  )
  assert.ok(!parts.flat().some((line) => line.includes('GAP')))
})

test('the multivariant playlist says what a variant needs, as it was so far', () => {
  const playlist = multivariantPlaylist(broadcastOf(2, 3), '_1/')
  assert.deepEqual(playlist.split('\n'), [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="mp4a.40.2",NAME="deu a0",LANGUAGE="deu",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="_1/a0.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=116000,AVERAGE-BANDWIDTH=116000,CODECS="avc1.42c00d,mp4a.40.2",RESOLUTION=320x240,FRAME-RATE=25.000,AUDIO="mp4a.40.2"',
    '_1/v0.m3u8',
    '',
  ])
})
