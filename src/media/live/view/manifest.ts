import { type Broadcast, endOf, type Segment, type Session, startOf, wallOf } from '#media/live/broadcast.ts'
import { initFile } from '#media/live/folder.ts'
import type { LiveTrack } from '#media/live/news.ts'
import {
  type AdaptationSet,
  type Period,
  type Representation,
  stretchesOf,
  writeMpd,
} from '#media/wire/mpd.ts'
import { rateOf } from './playlist.ts'

export type ManifestPlace = {
  /** what stands before the names of segments: empty, or the folder of the broadcast */
  readonly base: string
  /** where players read the time */
  readonly timeUrl: string
  readonly nowMs: number
  /** how much is kept, when there is room for it; 0: not known here */
  readonly windowMs: number
}

/** How often a player reads it again, to learn of the next segment. */
const UPDATE_SECONDS = 1

/**
 * Write the MPD of a broadcast: a period for each encoder (ISO 23009-1 §5.3.2).
 *
 * The segment that grows is in it, as long as the one before was: it can be had by parts, before it is whole.
 */
export function liveManifest(broadcast: Broadcast, place: ManifestPlace): string {
  const { segments, open, state, startedMs } = broadcast
  const known = open === null ? segments : [...segments, open]
  const [first, last] = [known[0]!, known.at(-1)!]
  const sessions = Map.groupBy(known, ({ session }) => session)
  const isLive = state !== 'ended'
  const periods = Array.from(sessions, ([session, own]): Period => {
    const wallSeconds = (session.atMs - startedMs) / 1000
    // What is over has no gaps: a period begins where the media of the last one ended.
    const startSeconds = isLive ? wallSeconds : startOf(own[0]!) - startOf(first)
    const offsetSeconds = isLive ? session.startSeconds : startOf(own[0]!)
    const adaptationSets = setsOf(broadcast, { session, own, offsetSeconds, base: place.base })
    return { id: `${session.init}`, startSeconds, adaptationSets }
  })
  const { partSeconds } = last.session.tracks[0]!
  const shownSeconds = (wallOf(last) - wallOf(first)) / 1000 + endOf(last) - startOf(last)
  const live = {
    availabilityStartMs: startedMs,
    publishMs: place.nowMs,
    updateSeconds: UPDATE_SECONDS,
    // Not what there is so far: players look once. Less only where room had to be made before.
    windowSeconds: first.msn === 0 ? Math.max(place.windowMs / 1000, shownSeconds) : shownSeconds,
    delaySeconds: 3 * partSeconds,
    timeUrl: place.timeUrl,
    latencyMs: Math.round(4000 * partSeconds),
  }
  return writeMpd({
    live: isLive ? live : null,
    durationSeconds: isLive ? null : endOf(last) - startOf(first),
    minBufferSeconds: partSeconds,
    periods,
  })
}

type Offered = {
  readonly session: Session
  readonly own: readonly Segment[]
  readonly offsetSeconds: number
  readonly base: string
}

/** Pictures of all sizes stand for each other; sound does when language and codec are the same. */
function setsOf(broadcast: Broadcast, offered: Offered): AdaptationSet[] {
  const indexed = offered.session.tracks.map((track, index) => ({ track, index }))
  const groups = Map.groupBy(
    indexed,
    ({ track }) =>
      `${track.kind} ${track.kind === 'video' ? '' : track.language} ${track.codec.split('.')[0]}`,
  )
  const roles = new Set<string>()
  return Array.from(groups.values(), (group): AdaptationSet => {
    const { kind, language } = group[0]!.track
    const isFirst = !roles.has(kind)
    roles.add(kind)
    return {
      contentType: kind,
      mimeType: `${kind}/mp4`,
      language: language === 'und' ? null : language,
      label: null,
      isAligned: true,
      role: isFirst ? 'main' : 'alternate',
      ...(broadcast.state === 'ended' ? {} : { producedAt: producedAt(offered.session, group[0]!.track) }),
      representations: group.map(({ track, index }) => representationOf(broadcast, offered, track, index)),
    }
  })
}

/** The first sample of an encoder came when it began. */
function producedAt(
  { atMs, startSeconds }: Session,
  { timescale }: LiveTrack,
): NonNullable<AdaptationSet['producedAt']> {
  return { ms: atMs, ticks: Math.round(startSeconds * timescale) }
}

function representationOf(
  broadcast: Broadcast,
  { session, own, offsetSeconds, base }: Offered,
  track: LiveTrack,
  index: number,
): Representation {
  const { name, kind, codec, timescale, width, height, frameRate, sampleRate, channels } = track
  const { open } = broadcast
  const whole = own.filter((segment) => segment !== open)
  const before = whole.at(-1)
  const segments = own.flatMap((segment) => {
    const { at, ticks, octets } = segment.tracks[index]!
    if (octets === 0) return []
    // How long the one that grows will be is not known: as long as the last one, and not shorter than it is.
    const guess = before === undefined ? broadcast.targetSeconds : endOf(before) - startOf(before)
    return [
      {
        startTicks: at,
        durationTicks: segment === open ? Math.max(ticks, Math.round(guess * timescale)) : ticks,
      },
    ]
  })
  const length = (segments.at(-1)?.durationTicks ?? 0) / timescale
  return {
    id: name,
    bandwidth: rateOf(broadcast, index).peak,
    codecs: codec,
    picture: kind === 'video' ? { width, height, frameRate } : null,
    sound: kind === 'audio' ? { sampleRate, channels } : null,
    baseUrl: base,
    template: {
      timescale,
      initialization: initFile(name, session.init),
      media: `${name}-$Number$.m4s`,
      startNumber: own[0]!.msn,
      offsetTicks: Math.round(offsetSeconds * timescale),
      ...(broadcast.state === 'live'
        ? { availableEarlySeconds: Math.max(0, length - track.partSeconds) }
        : {}),
      timeline: stretchesOf(segments),
    },
  }
}
