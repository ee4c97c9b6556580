import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planLive } from '#media/live/plan.ts'
import { broadcastOf, START_MS } from '../../../test/media/live-broadcast.ts'
import { explainBroadcast } from './broadcast.ts'

const at = { file: 'portico.jsonc', line: 1, column: 1 }

function explain(
  path: string,
  change: (broadcast: ReturnType<typeof broadcastOf>) => void = () => {},
): string[] {
  const broadcast = broadcastOf(10, 3)
  change(broadcast)
  const find = (_: string, stream: string) => (stream === 'studio' ? broadcast : undefined)
  const url = new URL(`https://live.example.com${path}`)
  const steps = explainBroadcast(planLive('./live', false), url, at, { find, nowMs: START_MS + 60_000 })
  return steps.map(({ says, isFault }) => `${isFault ? 'fault: ' : ''}${says}`)
}

test('explain says what is on air, since when, and how far one can go back', () => {
  const [state, window, asked] = explain('/studio')
  assert.equal(state, '"studio" is live: 2026-01-02T03:04:05Z, for 1m 0s, its first encoder')
  assert.match(window!, /^segments 0 to 9, and 3 parts of 10: 41s to go back/)
  assert.equal(asked, undefined)
  const [lost] = explain('/studio', (b) =>
    b.apply({ kind: 'lost', atMs: START_MS + 50_000, why: 'it broke off' }),
  )
  assert.match(lost!, /^the encoder of "studio" is gone: .* for 10s; it may come back for 20s$/)
  const [ended] = explain('/studio', (b) => b.apply({ kind: 'ended', atMs: START_MS + 50_000 }))
  assert.match(ended!, /has ended: .*; its recording can be played until 2026-01-09T03:04:55Z/)
})

test('explain says what a viewer gets now, and why not (RFC 8216bis §6.2.5, §6.2.5.2, §6.2.6)', () => {
  const cases: [path: string, expected: RegExp][] = [
    ['/nobody/index.m3u8', /^fault: 404: nobody sends "nobody"/],
    ['/studio/index.m3u8', /^200: the multivariant playlist/],
    ['/studio/film.mp4', /^fault: 404/],
    ['/studio/_1/v9.m3u8', /^fault: 404: the stream has no track v9/],
    ['/studio/_1/v0.m3u8', /^200: the playlist as it is/],
    [
      '/studio/_1/v0.m3u8?_HLS_msn=10&_HLS_part=3',
      /^held until segment 10 has part 3: at most 12 s, then 503/,
    ],
    ['/studio/_1/v0.m3u8?_HLS_msn=99', /^fault: 400: segment 99 lies too far ahead/],
    ['/studio/_1/v0.m3u8?_HLS_part=1', /^fault: 400: _HLS_part needs _HLS_msn/],
    ['/studio/_1/v0-3.m4s', /^200: the segment/],
    ['/studio/_1/v0-10.m4s', /^200: sent as it grows/],
    ['/studio/_1/v0-12.m4s', /^fault: 404: the last segment is 9/],
    ['/studio/_1/v0-10.1.m4s', /^200: the part/],
    ['/studio/_1/v0-10.3.m4s', /^held until the part is there/],
    ['/studio/_1/v0-10.5.m4s', /^fault: 404: the last segment is 9, with 3 parts of the next/],
    ['/studio/_1/v0-0.1.m4s', /^fault: 404: parts of segment 0 are no longer told apart/],
    ['/studio/_0/v0-0.m4s', /an earlier broadcast/],
  ]
  for (const [path, expected] of cases) assert.match(explain(path).at(-1)!, expected, path)
  const dropped = explain('/studio/_1/v0-1.m4s', (b) =>
    b.apply({ kind: 'dropped', msn: 4, discontinuities: 0 }),
  )
  assert.match(dropped.at(-1)!, /^fault: 404: segment 1 has left the window/)
})
