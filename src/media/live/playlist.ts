import { type Broadcast, endOf, type Part, type Segment, type Session, startOf, wallOf } from './broadcast.ts'
import { initFile, segmentFile } from './folder.ts'
import type { LiveTrack, Stretch } from './news.ts'

/** Segments before this many target durations from the end may be left out of an update (RFC 8216bis §4.4.3.8). */
const SKIP_TARGETS = 6
/** RFC 8216bis §6.2.2: parts are listed for so many target durations. */
const PART_TARGETS = 3

/**
 * Write the media playlist of a track (RFC 8216bis §4.4).
 *
 * @param track its number
 * @param skip leave out what a client that has followed knows (RFC 8216bis §6.2.5.1)
 */
export function mediaPlaylist(broadcast: Broadcast, track: number, skip: boolean): string {
  const { segments, open, targetSeconds, state, firstMsn, discontinuitySequence } = broadcast
  const { partSeconds } = broadcast.session!.tracks[track]!
  const isEnded = state === 'ended'
  const skipped = skip && !isEnded ? skippable(broadcast) : 0
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    `#EXT-X-TARGETDURATION:${targetSeconds}`,
    ...(isEnded ? [] : [control(broadcast, partSeconds)]),
    `#EXT-X-PART-INF:PART-TARGET=${seconds(partSeconds)}`,
    `#EXT-X-MEDIA-SEQUENCE:${firstMsn}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`,
  ]
  if (isIndependent(broadcast)) lines.push('#EXT-X-INDEPENDENT-SEGMENTS')
  if (skipped > 0) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${skipped}`)
  const end = endOf(open ?? segments.at(-1)!)
  const partsFrom = isEnded ? Infinity : end - PART_TARGETS * targetSeconds
  let session: Session | undefined = skipped === 0 ? undefined : segments[skipped - 1]!.session
  for (const segment of segments.slice(skipped)) {
    lines.push(...before(segment, session, track))
    session = segment.session
    if (endOf(segment) > partsFrom) lines.push(...partLines(segment, track))
    lines.push(...segmentLines(segment, track))
  }
  if (open !== null) lines.push(...before(open, session, track), ...partLines(open, track))
  if (isEnded) lines.push('#EXT-X-ENDLIST')
  if (state === 'live') lines.push(hint(broadcast, track), ...reports(broadcast, track))
  return `${lines.join('\n')}\n`
}

/** A client that is told to wait for an encoder that is gone would take it for our fault: it looks now and then instead. */
function control({ targetSeconds, state }: Broadcast, partSeconds: number): string {
  const blocks = state === 'live' ? 'CAN-BLOCK-RELOAD=YES,' : ''
  return `#EXT-X-SERVER-CONTROL:${blocks}PART-HOLD-BACK=${seconds(3 * partSeconds)},HOLD-BACK=${3 * targetSeconds},CAN-SKIP-UNTIL=${SKIP_TARGETS * targetSeconds}`
}

function skippable({ segments, open, targetSeconds }: Broadcast): number {
  const end = endOf(open ?? segments.at(-1)!)
  const count = segments.findIndex((segment) => endOf(segment) > end - SKIP_TARGETS * targetSeconds)
  return Math.max(count, 0)
}

function isIndependent({ segments, open }: Broadcast): boolean {
  return segments.every(({ independent }) => independent) && open?.independent !== false
}

/** What stands before a segment: another encoder's pictures need another beginning. */
function before(segment: Segment, session: Session | undefined, track: number): string[] {
  const lines: string[] = []
  if (segment.session !== session) {
    if (segment.isAfterBreak) lines.push('#EXT-X-DISCONTINUITY')
    lines.push(`#EXT-X-MAP:URI="${initFile(segment.session.tracks[track]!.name, segment.session.init)}"`)
  }
  lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(wallOf(segment)).toISOString()}`)
  return lines
}

function segmentLines({ msn, session, tracks }: Segment, track: number): string[] {
  const { name } = session.tracks[track]!
  const gap = tracks[track]!.octets === 0 ? ['#EXT-X-GAP'] : []
  return [...gap, `#EXTINF:${durationOf(tracks, session.tracks, track)},`, segmentFile(name, msn)]
}

function partLines({ parts, session, msn }: Segment, track: number): string[] {
  const { name } = session.tracks[track]!
  return parts.map(({ tracks, independent }: Part, i) => {
    // Sound can be decoded from each of its frames.
    const isIndependent = independent || session.tracks[track]!.kind === 'audio'
    const attributes = [
      `DURATION=${durationOf(tracks, session.tracks, track)}`,
      `URI="${partName(name, msn, i)}"`,
      ...(isIndependent ? ['INDEPENDENT=YES'] : []),
      ...(tracks[track]!.octets === 0 ? ['GAP=YES'] : []),
    ]
    return `#EXT-X-PART:${attributes.join(',')}`
  })
}

function hint({ session, nextMsn, openParts }: Broadcast, track: number): string {
  return `#EXT-X-PRELOAD-HINT:TYPE=PART,URI="${partName(session!.tracks[track]!.name, nextMsn, openParts)}"`
}

/** RFC 8216bis §4.4.5.4: all tracks are equally far. */
function reports({ session, nextMsn, openParts, segments }: Broadcast, track: number): string[] {
  const [msn, part] =
    openParts > 0 ? [nextMsn, openParts - 1] : [nextMsn - 1, (segments.at(-1)?.parts.length ?? 1) - 1]
  return session!.tracks
    .filter((_, i) => i !== track)
    .map(
      ({ name }) =>
        `#EXT-X-RENDITION-REPORT:URI="${name}.m3u8",LAST-MSN=${msn},LAST-PART=${Math.max(part, 0)}`,
    )
}

function partName(track: string, msn: number, part: number): string {
  return `${track}-${msn}.${part}.m4s`
}

/** Of which nothing came lasts as long as the first track does. */
function durationOf(stretches: readonly Stretch[], tracks: readonly LiveTrack[], track: number): string {
  const index = stretches[track]!.octets === 0 ? 0 : track
  return seconds(stretches[index]!.ticks / tracks[index]!.timescale)
}

function seconds(value: number): string {
  return value.toFixed(5)
}

/**
 * Write the multivariant playlist (RFC 8216bis §4.4.6).
 *
 * @param base what stands before the names of playlists: empty, or the folder of the broadcast
 */
export function multivariantPlaylist(broadcast: Broadcast, base: string): string {
  const { tracks } = broadcast.session!
  const audio = tracks.flatMap((track, i) => (track.kind === 'audio' ? [{ track, i }] : []))
  const video = tracks.flatMap((track, i) => (track.kind === 'video' ? [{ track, i }] : []))
  const lines = ['#EXTM3U', '#EXT-X-VERSION:9']
  if (isIndependent(broadcast)) lines.push('#EXT-X-INDEPENDENT-SEGMENTS')
  if (video.length === 0) {
    for (const { track, i } of audio) lines.push(...variant(broadcast, [i], [], `${base}${track.name}.m3u8`))
    return `${lines.join('\n')}\n`
  }
  for (const [n, { track }] of audio.entries()) lines.push(media(track, n === 0, `${base}${track.name}.m3u8`))
  // One variant for each codec of sound that it may be played with.
  const codecs = [...new Set(audio.map(({ track }) => track.codec))]
  for (const { track, i } of video) {
    const uri = `${base}${track.name}.m3u8`
    if (codecs.length === 0) lines.push(...variant(broadcast, [i], [], uri))
    for (const codec of codecs) {
      const group = audio.filter((other) => other.track.codec === codec)
      lines.push(
        ...variant(
          broadcast,
          [i],
          group.map((other) => other.i),
          uri,
        ),
      )
    }
  }
  return `${lines.join('\n')}\n`
}

function media({ name, language, channels, codec }: LiveTrack, isDefault: boolean, uri: string): string {
  const attributes = [
    'TYPE=AUDIO',
    `GROUP-ID="${codec}"`,
    `NAME="${language === 'und' ? name : `${language} ${name}`}"`,
    ...(language === 'und' ? [] : [`LANGUAGE="${language}"`]),
    `DEFAULT=${isDefault ? 'YES' : 'NO'}`,
    'AUTOSELECT=YES',
    `CHANNELS="${channels}"`,
    `URI="${uri}"`,
  ]
  return `#EXT-X-MEDIA:${attributes.join(',')}`
}

function variant(broadcast: Broadcast, own: number[], group: number[], uri: string): string[] {
  const { tracks } = broadcast.session!
  const track = tracks[own[0]!]!
  const rates = [...own, ...group].map((i) => rateOf(broadcast, i))
  const [one, most] = [rates[0]!, rates.slice(1)]
  const peak = one.peak + Math.max(0, ...most.map((rate) => rate.peak))
  const mean = one.mean + Math.max(0, ...most.map((rate) => rate.mean))
  const codecs = [track.codec, ...(group.length === 0 ? [] : [tracks[group[0]!]!.codec])]
  const attributes = [
    `BANDWIDTH=${Math.max(1, Math.round(peak))}`,
    `AVERAGE-BANDWIDTH=${Math.max(1, Math.round(mean))}`,
    `CODECS="${codecs.join(',')}"`,
    ...(track.kind === 'video' ? [`RESOLUTION=${track.width}x${track.height}`] : []),
    ...(track.frameRate > 0 ? [`FRAME-RATE=${track.frameRate.toFixed(3)}`] : []),
    ...(group.length === 0 ? [] : [`AUDIO="${tracks[group[0]!]!.codec}"`]),
  ]
  return [`#EXT-X-STREAM-INF:${attributes.join(',')}`, uri]
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
