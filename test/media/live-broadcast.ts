import { Broadcast } from '#media/live/broadcast.ts'
import type { LiveTrack, News } from '#media/live/news.ts'

/** When the broadcasts of tests begin. */
export const START_MS: number = Date.UTC(2026, 0, 2, 3, 4, 5)

const liveTracks: readonly LiveTrack[] = [
  {
    ...{
      name: 'v0',
      format: 'one',
      kind: 'video',
      codec: 'avc1.42c00d',
      timescale: 1000,
      language: 'und',
      width: 320,
      height: 240,
    },
    ...{ frameRate: 25, channels: 0, sampleRate: 0, partSeconds: 0.4 },
  },
  {
    ...{
      name: 'a0',
      format: 'two',
      kind: 'audio',
      codec: 'mp4a.40.2',
      timescale: 48_000,
      language: 'deu',
      width: 0,
      height: 0,
    },
    ...{ frameRate: 0, channels: 2, sampleRate: 48_000, partSeconds: 0.42133 },
  },
]

/** A part of 400 ms that begins at `seconds`. */
function partAt(seconds: number, index: number, closes: boolean): News {
  const tracks = [
    { at: Math.round(seconds * 1000), ticks: 400, octets: 5000 },
    { at: Math.round(seconds * 48_000), ticks: 19_200, octets: 800 },
  ]
  return { kind: 'part', independent: index % 5 === 0, closes, tracks }
}

/** News of an encoder with so many complete segments of 4 s, and parts of the next. */
export function newsOf(segments: number, parts: number, startSeconds = 0, init = 1): News[] {
  const atMs = START_MS + startSeconds * 1000
  const news: News[] = [{ kind: 'encoder', tracks: liveTracks, init, atMs, startSeconds }]
  for (let i = 0; i < segments * 10 + parts; i++) {
    news.push(partAt(startSeconds + i * 0.4, i % 10, i % 10 === 9))
  }
  return news
}

/** A broadcast of so many complete segments of 4 s, and parts of the next. */
export function broadcastOf(segments: number, parts: number): Broadcast {
  const broadcast = new Broadcast('studio', '_1')
  broadcast.apply({ kind: 'begun', atMs: START_MS, targetSeconds: 4 })
  for (const news of newsOf(segments, parts)) broadcast.apply(news)
  return broadcast
}
