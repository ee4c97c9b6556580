import assert from 'node:assert/strict'
import { test } from 'node:test'
import { all, readMpd } from '../../../test/media/mpds.ts'
import { type AdaptationSet, type Mpd, stretchesOf, writeMpd } from './mpd.ts'

const set: AdaptationSet = {
  ...{
    contentType: 'video',
    mimeType: 'video/mp4',
    language: null,
    label: 'A & "B"',
    isAligned: true,
    role: 'main',
  },
  representations: [
    {
      ...{ id: '1', bandwidth: 1000.5, codecs: 'avc1.64001f', sound: null, baseUrl: '../b&c/' },
      picture: { width: 1280, height: 720, frameRate: 30000 / 1001 },
      template: {
        ...{
          timescale: 90000,
          initialization: 'init.mp4',
          media: 'seg-$Number$.m4s',
          startNumber: 0,
          offsetTicks: 0,
        },
        timeline: [
          { startTicks: 0, durationTicks: 540000, count: 3 },
          { startTicks: 1620000, durationTicks: 270000, count: 1 },
        ],
      },
    },
  ],
}

function mpdOf(more: Partial<Mpd> = {}): Mpd {
  const periods = [{ id: '0', startSeconds: 0, adaptationSets: [set] }]
  return { live: null, durationSeconds: 21, minBufferSeconds: 6, periods, ...more }
}

test('writeMpd() writes a whole film that a reader of the schema takes (ISO 23009-1)', () => {
  const mpd = readMpd(writeMpd(mpdOf()))
  assert.equal(mpd.attributes.get('mediaPresentationDuration'), 'PT21S')
  const [representation] = all(mpd, 'Representation')
  assert.equal(representation!.attributes.get('bandwidth'), '1001')
  assert.equal(representation!.attributes.get('frameRate'), '30000/1001')
  assert.equal(all(mpd, 'BaseURL')[0]!.text, '../b&c/')
  assert.equal(all(mpd, 'Label')[0]!.text, 'A & "B"')
  assert.deepEqual(
    all(mpd, 'S').map(({ attributes }) => Object.fromEntries(attributes)),
    [{ t: '0', d: '540000', r: '2' }, { d: '270000' }],
  )
})

const rates: [rate: number, wanted: string][] = [
  [25, '25'],
  [23.976, '24000/1001'],
  [59.94, '60000/1001'],
  [12.5, '12500/1000'],
]
for (const [frameRate, wanted] of rates) {
  test(`${frameRate} frames a second are ${wanted}`, () => {
    const [representation] = set.representations
    const picture = { width: 1, height: 1, frameRate }
    const adaptationSets = [{ ...set, representations: [{ ...representation!, picture }] }]
    const text = writeMpd(mpdOf({ periods: [{ id: '0', startSeconds: 0, adaptationSets }] }))
    assert.equal(all(readMpd(text), 'Representation')[0]!.attributes.get('frameRate'), wanted)
  })
}

test('an MPD that grows says since when, how often to ask, and how far behind to be', () => {
  const live = {
    ...{ availabilityStartMs: 0, publishMs: 1500, updateSeconds: 2, windowSeconds: 60, delaySeconds: 6 },
    ...{ timeUrl: '/time', latencyMs: 3000 },
  }
  const mpd = readMpd(writeMpd(mpdOf({ live, durationSeconds: null })))
  assert.equal(mpd.attributes.get('type'), 'dynamic')
  assert.equal(mpd.attributes.get('publishTime'), '1970-01-01T00:00:01.500Z')
  assert.equal(all(mpd, 'Latency')[0]!.attributes.get('target'), '3000')
  assert.equal(all(mpd, 'UTCTiming').length, 1)
})

test('stretchesOf() joins equal neighbours, and begins anew behind a gap', () => {
  const segments = [0, 10, 20, 31].map((startTicks) => ({ startTicks, durationTicks: 10 }))
  assert.deepEqual(stretchesOf(segments), [
    { startTicks: 0, durationTicks: 10, count: 3 },
    { startTicks: 31, durationTicks: 10, count: 1 },
  ])
})
