import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Broadcast } from '#media/live/broadcast.ts'
import { broadcastOf, newsOf, START_MS } from '../../../../test/media/live-broadcast.ts'
import { all, readMpd } from '../../../../test/media/mpds.ts'
import { liveManifest } from './manifest.ts'

const place = {
  base: '_1/',
  timeUrl: 'https://live.example.com/studio/time',
  nowMs: START_MS + 60_000,
  windowMs: 7_200_000,
}

/** Names of elements with their attributes, of all of a kind. */
function told(broadcast: Broadcast, name: string): Record<string, string>[] {
  return all(readMpd(liveManifest(broadcast, place)), name).map(({ attributes }) =>
    Object.fromEntries(attributes),
  )
}

test('an MPD has the segment that grows, as long as the last one was, to be had by parts', () => {
  const broadcast = broadcastOf(3, 2)
  assert.deepEqual(told(broadcast, 'S').slice(0, 1), [{ t: '0', d: '4000', r: '3' }])
  const [video, audio] = told(broadcast, 'SegmentTemplate')
  assert.deepEqual(
    [
      video!['media'],
      video!['startNumber'],
      video!['availabilityTimeOffset'],
      video!['availabilityTimeComplete'],
    ],
    ['v0-$Number$.m4s', '0', '3.6', 'false'],
  )
  assert.equal(audio!['initialization'], 'a0-init-1.mp4')
  assert.equal(told(broadcast, 'UTCTiming')[0]!['value'], place.timeUrl)
})

test('an MPD says the whole window from the start, and not what there is so far: players look once', () => {
  assert.match(liveManifest(broadcastOf(3, 2), place), / timeShiftBufferDepth="PT7200S"/)
})

test('each encoder has a period, which begins when it did', () => {
  const broadcast = broadcastOf(2, 0)
  broadcast.apply({ kind: 'lost', atMs: 0, why: 'silent' })
  const [encoder, ...parts] = newsOf(1, 1, 8, 2)
  if (encoder?.kind === 'encoder') broadcast.apply({ ...encoder, atMs: START_MS + 20_000 })
  for (const news of parts) broadcast.apply(news)
  assert.deepEqual(
    told(broadcast, 'Period').map(({ id, start }) => [id, start]),
    [
      ['1', 'PT0S'],
      ['2', 'PT20S'],
    ],
  )
  assert.equal(told(broadcast, 'SegmentTemplate')[2]!['presentationTimeOffset'], '8000')
  // Latency is counted from when its first sample came.
  assert.deepEqual(told(broadcast, 'ProducerReferenceTime')[2], {
    ...{ id: '0', type: 'encoder', presentationTime: '8000' },
    wallClockTime: new Date(START_MS + 20_000).toISOString(),
  })
  broadcast.apply({ kind: 'ended', atMs: 0 })
  assert.deepEqual(
    told(broadcast, 'Period').map(({ start }) => start),
    ['PT0S', 'PT8S'],
  )
  assert.deepEqual(told(broadcast, 'MPD').length, 0)
  const mpd = readMpd(liveManifest(broadcast, place))
  assert.equal(mpd.attributes.get('type'), 'static')
  assert.equal(mpd.attributes.get('mediaPresentationDuration'), 'PT12.4S')
})
