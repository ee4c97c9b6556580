import { rateOf } from '#media/live/view/playlist.ts'
import type { Broadcast } from './broadcast.ts'
import type { SourceState } from './sources.ts'

/** What `portico status` says of live streams. */
export type LiveStatus = { readonly streams: readonly StreamRow[]; readonly sources: readonly SourceState[] }

export type StreamRow = {
  readonly stream: string
  readonly state: Broadcast['state']
  /** since when it is so: ISO 8601 */
  readonly since: string
  /** why its encoder is gone; null while it is there */
  readonly why: string | null
  /** tracks, as `v0 avc1.64001f 1280x720` */
  readonly tracks: readonly string[]
  readonly bitsPerSecond: number
  /** what can be played, and what it takes on disk */
  readonly seconds: number
  readonly octets: number
  readonly encoders: number
  /** who has asked for it lately */
  readonly viewers: number
  /** how long ago the last part came; null before the first */
  readonly lastPartMsAgo: number | null
  /** segments that begin without a key frame, of those that can be played: the encoder makes too few */
  readonly withoutKey: number
}

type Watched = { readonly broadcast: Broadcast; readonly viewers: number }

/** Gather what is known of broadcasts. */
export function liveStatus(
  watched: readonly Watched[],
  sources: readonly SourceState[],
  nowMs: number,
): LiveStatus {
  return {
    streams: watched.filter(({ broadcast }) => broadcast.session !== null).map((one) => rowOf(one, nowMs)),
    sources,
  }
}

function rowOf({ broadcast, viewers }: Watched, nowMs: number): StreamRow {
  const { stream, state, sinceMs, why, session, segments, seconds, octets, newsMs } = broadcast
  const { tracks, number } = session!
  return {
    stream,
    state,
    since: new Date(sinceMs).toISOString(),
    why: why === '' ? null : why,
    tracks: tracks.map(({ name, codec, width, height }) =>
      [name, codec, ...(width > 0 ? [`${width}x${height}`] : [])].join(' '),
    ),
    bitsPerSecond: Math.round(tracks.reduce((sum, _, i) => sum + rateOf(broadcast, i).mean, 0)),
    seconds: Math.round(seconds),
    octets,
    encoders: number + 1,
    viewers,
    lastPartMsAgo: state === 'live' && newsMs !== null ? Math.round(nowMs - newsMs) : null,
    withoutKey: segments.filter(({ independent }) => !independent).length,
  }
}
