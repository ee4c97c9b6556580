import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPlaylist } from '../../../test/media/playlists.ts'
import { writeMultivariant } from './multivariant.ts'

test('writeMultivariant() says renditions, variants and their rates (RFC 8216bis §4.4.6, §4.4.6.1, §4.4.6.1.1, §4.4.6.2)', () => {
  const text = writeMultivariant({
    renditions: [
      {
        ...{ type: 'AUDIO', groupId: 'audio', name: 'Deutsch "laut"', language: 'de', isDefault: true },
        ...{ isAutoselect: false, uri: 'de.m3u8', channels: 2 },
      },
      {
        ...{ type: 'SUBTITLES', groupId: 'text', name: 'English', language: null, isDefault: false },
        ...{ isAutoselect: true, isForced: true, uri: 'en.m3u8', channels: null },
      },
    ],
    variants: [
      {
        ...{ uri: 'v.m3u8', bandwidth: 1000.2, averageBandwidth: 900, codecs: ['avc1.64001f', 'mp4a.40.2'] },
        ...{
          picture: { width: 1280, height: 720, frameRate: 29.97 },
          audioGroup: 'audio',
          subtitleGroup: 'text',
        },
      },
    ],
    iFrames: [
      {
        ...{ uri: 'i.m3u8', bandwidth: 100, averageBandwidth: 0, codecs: ['avc1.64001f'] },
        picture: { width: 1280, height: 720, frameRate: 0 },
      },
    ],
  })
  readPlaylist(text)
  assert.deepEqual(text.split('\n').slice(3), [
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Deutsch laut",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="de.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="text",NAME="English",DEFAULT=NO,AUTOSELECT=YES,FORCED=YES,URI="en.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=1001,AVERAGE-BANDWIDTH=900,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="audio",SUBTITLES="text"',
    'v.m3u8',
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,AVERAGE-BANDWIDTH=1,CODECS="avc1.64001f",RESOLUTION=1280x720,URI="i.m3u8"',
    '',
  ])
})
