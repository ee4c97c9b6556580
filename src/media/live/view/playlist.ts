import { type Broadcast, endOf, type Segment as LiveSegment, startOf, wallOf } from '#media/live/broadcast.ts'
import { initFile, partFile, segmentFile } from '#media/live/folder.ts'
import type { LiveTrack, Stretch } from '#media/live/news.ts'
import { type LowLatency, type Part, type Segment, writeMediaPlaylist } from '#media/wire/m3u8.ts'
import { type Rendition, type Variant, writeMultivariant } from '#media/wire/multivariant.ts'

/** Segments before this many target durations from the end may be left out of an update (RFC 8216bis §4.4.3.8). */
const SKIP_TARGETS = 6
/** RFC 8216bis §6.2.2: parts are listed for so many target durations. */
const PART_TARGETS = 3

/**
 * Write the media playlist of a track (RFC 8216bis §4.4).
 *
 * While no encoder sends, it is one without low latency: a client that waited for a part would take the encoder's fault
 * for ours.
 *
 * @param track its number
 * @param skip leave out what a client that has followed knows (RFC 8216bis §6.2.5.1)
 */
export function mediaPlaylist(broadcast: Broadcast, track: number, skip: boolean): string {
  const { segments, open, targetSeconds, state } = broadcast
  const isLive = state === 'live'
  const skipped = skip && isLive ? skippable(broadcast) : 0
  const partsFrom = isLive ? endOf(open ?? segments.at(-1)!) - PART_TARGETS * targetSeconds : Infinity
  return writeMediaPlaylist({
    kind: null,
    hasEnded: state === 'ended',
    sequence: broadcast.firstMsn,
    discontinuitySequence: broadcast.discontinuitySequence,
    targetSeconds,
    isIndependent: isIndependent(broadcast),
    segments: segments.slice(skipped).map((segment): Segment => {
      const { name } = segment.session.tracks[track]!
      return {
        ...beginningOf(segment, track),
        uri: segmentFile(name, segment.msn),
        durationSeconds: durationOf(segment.tracks, segment, track),
        isGap: segment.tracks[track]!.octets === 0,
        ...(endOf(segment) > partsFrom ? { parts: withoutLastGaps(partsOf(segment, track)) } : {}),
      }
    }),
    ...(isLive ? { live: underWay(broadcast, track, skipped) } : {}),
  })
}

function underWay(broadcast: Broadcast, track: number, skipped: number): LowLatency {
  const { open, session, nextMsn, openParts, targetSeconds, segments } = broadcast
  const { partSeconds, name } = session!.tracks[track]!
  const last = segments.at(-1)?.parts.length ?? 1
  return {
    partTargetSeconds: partSeconds,
    holdBackSeconds: 3 * targetSeconds,
    partHoldBackSeconds: 3 * partSeconds,
    canSkipUntilSeconds: SKIP_TARGETS * targetSeconds,
    ...(skipped === 0 ? {} : { skippedSegments: skipped }),
    ...(open === null ? {} : { beginning: beginningOf(open, track) }),
    parts: open === null ? [] : partsOf(open, track),
    preloadHint: partFile(name, nextMsn, openParts),
    // RFC 8216bis §4.4.5.4: all tracks are equally far.
    reports: session!.tracks
      .filter((_, i) => i !== track)
      .map((other) => ({
        uri: `${other.name}.m3u8`,
        lastSequence: openParts > 0 ? nextMsn : nextMsn - 1,
        lastPart: Math.max(0, openParts > 0 ? openParts - 1 : last - 1),
      })),
  }
}

function skippable({ segments, open, targetSeconds }: Broadcast): number {
  const end = endOf(open ?? segments.at(-1)!)
  const count = segments.findIndex((segment) => endOf(segment) > end - SKIP_TARGETS * targetSeconds)
  return Math.max(count, 0)
}

function isIndependent({ segments, open }: Broadcast): boolean {
  return segments.every(({ independent }) => independent) && open?.independent !== false
}

/** What stands before a segment: another encoder's pictures need another initialisation segment. */
function beginningOf(segment: LiveSegment, track: number): Pick<Segment, 'map' | 'isDiscontinuity' | 'atMs'> {
  const { session, isAfterBreak } = segment
  const map = { uri: initFile(session.tracks[track]!.name, session.init) }
  return { map, isDiscontinuity: isAfterBreak, atMs: wallOf(segment) }
}

function partsOf(segment: LiveSegment, track: number): Part[] {
  const { name, kind } = segment.session.tracks[track]!
  return segment.parts.map(({ tracks, independent }, i) => ({
    uri: partFile(name, segment.msn, i),
    durationSeconds: durationOf(tracks, segment, track),
    // Sound can be decoded from each of its frames.
    isIndependent: independent || kind === 'audio',
    isGap: tracks[track]!.octets === 0,
  }))
}

/**
 * A track that ended before the others has a shorter segment, and no gap behind it: the part that an encoder broke off
 * in may have pictures and no sound, and hls.js goes no further than a gap until all parts of its segment have left the
 * playlist.
 */
function withoutLastGaps(parts: readonly Part[]): Part[] {
  return parts.slice(0, parts.findLastIndex(({ isGap }) => isGap !== true) + 1)
}

/** What nothing came of lasts as long as the first track does. */
function durationOf(stretches: readonly Stretch[], { session }: LiveSegment, track: number): number {
  const index = stretches[track]!.octets === 0 ? 0 : track
  return stretches[index]!.ticks / session.tracks[index]!.timescale
}

/**
 * Write the multivariant playlist (RFC 8216bis §4.4.6).
 *
 * @param base what stands before the names of playlists: empty, or the folder of the broadcast
 */
export function multivariantPlaylist(broadcast: Broadcast, base: string): string {
  const { tracks } = broadcast.session!
  const rated = tracks.map(
    (track, i): Rated => ({ track, uri: `${base}${track.name}.m3u8`, ...rateOf(broadcast, i) }),
  )
  const sound = rated.filter(({ track }) => track.kind === 'audio')
  const pictures = rated.filter(({ track }) => track.kind === 'video')
  if (pictures.length === 0) {
    return writeMultivariant({
      renditions: [],
      variants: sound.map((one) => variantOf(one, [])),
      iFrames: [],
    })
  }
  // One variant for each codec of sound that it may be played with.
  const groups = Object.values(Object.groupBy(sound, ({ track }) => track.codec)).map((group) => group ?? [])
  const variants = pictures.flatMap((picture) =>
    (groups.length === 0 ? [[]] : groups).map((group) => variantOf(picture, group)),
  )
  return writeMultivariant({ renditions: sound.map(renditionOf), variants, iFrames: [] })
}

type Rated = { readonly track: LiveTrack; readonly uri: string; readonly peak: number; readonly mean: number }

function renditionOf({ track, uri }: Rated, index: number): Rendition {
  const { codec, name, language, channels } = track
  const isKnown = language !== 'und'
  return {
    ...{ type: 'AUDIO', groupId: codec, name: isKnown ? `${language} ${name}` : name, uri, channels },
    ...{ language: isKnown ? language : null, isDefault: index === 0, isAutoselect: true },
  }
}

function variantOf({ track, uri, peak, mean }: Rated, group: readonly Rated[]): Variant {
  const { codec, kind, width, height, frameRate } = track
  return {
    uri,
    bandwidth: peak + Math.max(0, ...group.map((one) => one.peak)),
    averageBandwidth: mean + Math.max(0, ...group.map((one) => one.mean)),
    codecs: [codec, ...(group.length === 0 ? [] : [group[0]!.track.codec])],
    picture: kind === 'video' ? { width, height, frameRate } : null,
    audioGroup: group.length === 0 ? null : group[0]!.track.codec,
    subtitleGroup: null,
  }
}

/** Bits a second of a track: of its largest segment, and of all. */
export function rateOf({ segments, open }: Broadcast, track: number): { peak: number; mean: number } {
  let [peak, octets, length] = [0, 0, 0]
  const known = segments.length > 0 ? segments : open === null ? [] : [open]
  for (const segment of known) {
    const lasts = endOf(segment) - startOf(segment)
    const stretch = segment.tracks[track]
    if (stretch === undefined || lasts <= 0) continue
    peak = Math.max(peak, (stretch.octets * 8) / lasts)
    octets += stretch.octets
    length += lasts
  }
  return { peak, mean: length === 0 ? 0 : (octets * 8) / length }
}
