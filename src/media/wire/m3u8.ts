/** A Media Playlist (RFC 8216bis §4.4.3): segments of one track. Seconds and octets. */
export type MediaPlaylist = {
  /** whole (VOD), only growing (EVENT), or a window that moves: null */
  readonly kind: 'VOD' | 'EVENT' | null
  /** no segment will be added */
  readonly hasEnded: boolean
  /** number of the first segment, and discontinuities before it; 0 for what is whole */
  readonly sequence?: number
  readonly discontinuitySequence?: number
  /** wanted by clients of a live playlist, where it is larger than what its segments say */
  readonly targetSeconds?: number
  readonly isIFramesOnly?: boolean
  /** every segment can be decoded by itself */
  readonly isIndependent?: boolean
  readonly segments: readonly Segment[]
  /** what is under way after the last segment */
  readonly live?: LowLatency
}

/** A segment; `map`, `key` and `discontinuity` hold from here on, as the tags do. */
export type Segment = {
  readonly uri: string
  readonly durationSeconds: number
  readonly title?: string
  readonly range?: PartRange
  /** the initialization section; said again only when it changes */
  readonly map?: {
    readonly uri: string
    readonly range?: PartRange
    /** stands before the key, which does not hold for it then */
    readonly isClear?: boolean
  }
  readonly key?: SegmentKey | null
  /** times or formats begin anew here */
  readonly isDiscontinuity?: boolean
  readonly isGap?: boolean
  /** wall clock of its first sample, milliseconds since 1970 */
  readonly atMs?: number
  readonly parts?: readonly Part[]
}

/** AES-128 (RFC 8216bis §4.4.4.4); `iv` is 32 hexadecimal digits. */
export type SegmentKey = { readonly uri: string; readonly iv: string }

export type PartRange = { readonly from: number; readonly octets: number }

/** A partial segment (RFC 8216bis §4.4.4.9). */
export type Part = {
  readonly uri: string
  readonly durationSeconds: number
  readonly isIndependent?: boolean
  readonly range?: PartRange
  readonly isGap?: boolean
}

/** Low latency (RFC 8216bis §4.4.3.7, §4.4.3.8, §4.4.5). */
export type LowLatency = {
  readonly partTargetSeconds: number
  readonly holdBackSeconds: number
  readonly partHoldBackSeconds: number
  readonly canSkipUntilSeconds?: number
  /** how many segments a delta update leaves out at its start */
  readonly skippedSegments?: number
  /** what stands before them: what a segment says of itself, said with its first part */
  readonly beginning?: Pick<Segment, 'map' | 'isDiscontinuity' | 'atMs'>
  /** parts of the segment that is not complete yet */
  readonly parts: readonly Part[]
  readonly preloadHint?: string
  readonly reports?: readonly {
    readonly uri: string
    readonly lastSequence: number
    readonly lastPart: number
  }[]
}

/**
 * Write a Media Playlist (RFC 8216bis §4.4).
 *
 * The version is the least that has all tags that stand in it (§8).
 *
 * @example writeMediaPlaylist({ kind: 'VOD', hasEnded: true, segments })
 */
export function writeMediaPlaylist(playlist: MediaPlaylist): string {
  const { kind, hasEnded, sequence = 0, discontinuitySequence = 0, segments, live } = playlist
  const lines = ['#EXTM3U', `#EXT-X-VERSION:${versionOf(playlist)}`]
  lines.push(`#EXT-X-TARGETDURATION:${targetDuration(playlist)}`)
  if (kind !== null) lines.push(`#EXT-X-PLAYLIST-TYPE:${kind}`)
  if (playlist.isIndependent === true) lines.push('#EXT-X-INDEPENDENT-SEGMENTS')
  if (playlist.isIFramesOnly === true) lines.push('#EXT-X-I-FRAMES-ONLY')
  if (live !== undefined) lines.push(...serverControl(live))
  lines.push(`#EXT-X-MEDIA-SEQUENCE:${sequence}`)
  if (discontinuitySequence > 0) lines.push(`#EXT-X-DISCONTINUITY-SEQUENCE:${discontinuitySequence}`)
  if (live?.skippedSegments !== undefined) lines.push(`#EXT-X-SKIP:SKIPPED-SEGMENTS=${live.skippedSegments}`)
  let map = ''
  let key = ''
  // RFC 8216bis §6.2.5.1: what a delta update skips is left out; the tags that hold go on.
  for (const segment of segments) {
    lines.push(...breakLines(segment))
    const nextKey = segment.key == null ? '' : keyLine(segment.key)
    const nextMap = segment.map === undefined ? map : mapLine(segment.map)
    const isClear = segment.map?.isClear === true
    const ofKey = nextKey === key ? [] : [nextKey === '' ? '#EXT-X-KEY:METHOD=NONE' : nextKey]
    // A section that was encrypted with another key is another one (RFC 8216bis §4.4.4.5).
    const isAgain = nextMap !== map || (nextKey !== key && nextMap !== '' && !isClear)
    const ofMap = isAgain ? [nextMap] : []
    lines.push(...(isClear ? [...ofMap, ...ofKey] : [...ofKey, ...ofMap]))
    key = nextKey
    map = nextMap
    lines.push(...segmentLines(segment))
  }
  if (live !== undefined) lines.push(...underWay(live, map))
  if (hasEnded) lines.push('#EXT-X-ENDLIST')
  return `${lines.join('\n')}\n`
}

/** RFC 8216bis §4.4.3.1: no rounded duration is larger. */
function targetDuration({ segments, targetSeconds = 1 }: MediaPlaylist): number {
  let target = Math.max(1, Math.ceil(targetSeconds))
  for (const { durationSeconds } of segments) target = Math.max(target, Math.round(durationSeconds))
  return target
}

/** RFC 8216bis §8. */
function versionOf({ segments, live, isIFramesOnly }: MediaPlaylist): number {
  if (live?.skippedSegments !== undefined) return 9
  if ([...segments, live?.beginning].some((each) => each?.map !== undefined))
    return isIFramesOnly === true ? 5 : 6
  return isIFramesOnly === true || segments.some(({ range }) => range !== undefined) ? 4 : 3
}

function serverControl(live: LowLatency): string[] {
  const { partTargetSeconds, holdBackSeconds, partHoldBackSeconds, canSkipUntilSeconds } = live
  const skip = canSkipUntilSeconds === undefined ? '' : `CAN-SKIP-UNTIL=${decimal(canSkipUntilSeconds)},`
  const hold = `HOLD-BACK=${decimal(holdBackSeconds)},PART-HOLD-BACK=${decimal(partHoldBackSeconds)}`
  return [
    `#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,${skip}${hold}`,
    `#EXT-X-PART-INF:PART-TARGET=${decimal(partTargetSeconds)}`,
  ]
}

function breakLines({ isDiscontinuity }: Pick<Segment, 'isDiscontinuity'>): string[] {
  return isDiscontinuity === true ? ['#EXT-X-DISCONTINUITY'] : []
}

function timeLines({ atMs }: Pick<Segment, 'atMs'>): string[] {
  return atMs === undefined ? [] : [`#EXT-X-PROGRAM-DATE-TIME:${new Date(atMs).toISOString()}`]
}

function segmentLines(segment: Segment): string[] {
  const { isGap, parts, range, durationSeconds, title = '', uri } = segment
  return [
    ...timeLines(segment),
    ...(parts ?? []).map(partLine),
    ...(isGap === true ? ['#EXT-X-GAP'] : []),
    `#EXTINF:${decimal(durationSeconds)},${title}`,
    ...(range === undefined ? [] : [`#EXT-X-BYTERANGE:${range.octets}@${range.from}`]),
    uri,
  ]
}

/** @param map the initialization section that holds */
function underWay({ beginning = {}, parts, preloadHint, reports = [] }: LowLatency, map: string): string[] {
  const nextMap = beginning.map === undefined ? map : mapLine(beginning.map)
  return [
    ...breakLines(beginning),
    ...(nextMap === map ? [] : [nextMap]),
    ...timeLines(beginning),
    ...parts.map(partLine),
    ...(preloadHint === undefined ? [] : [`#EXT-X-PRELOAD-HINT:TYPE=PART,URI=${quoted(preloadHint)}`]),
    ...reports.map(({ uri, lastSequence, lastPart }) => {
      return `#EXT-X-RENDITION-REPORT:URI=${quoted(uri)},LAST-MSN=${lastSequence},LAST-PART=${lastPart}`
    }),
  ]
}

function partLine({ uri, durationSeconds, isIndependent, range, isGap }: Part): string {
  const more = [
    ...(isIndependent === true ? ['INDEPENDENT=YES'] : []),
    ...(range === undefined ? [] : [`BYTERANGE="${range.octets}@${range.from}"`]),
    ...(isGap === true ? ['GAP=YES'] : []),
  ]
  return `#EXT-X-PART:${[`DURATION=${decimal(durationSeconds)}`, `URI=${quoted(uri)}`, ...more].join(',')}`
}

function mapLine({ uri, range }: NonNullable<Segment['map']>): string {
  const part = range === undefined ? '' : `,BYTERANGE="${range.octets}@${range.from}"`
  return `#EXT-X-MAP:URI=${quoted(uri)}${part}`
}

function keyLine({ uri, iv }: SegmentKey): string {
  return `#EXT-X-KEY:METHOD=AES-128,URI=${quoted(uri)},IV=0x${iv}`
}

/**
 * A quoted-string (RFC 8216bis §4.2), which has neither line ends nor quotes.
 *
 * @example quoted('Director"s cut') // "\"Directors cut\""
 */
export function quoted(text: string): string {
  return `"${text.replace(/["\r\n]/g, '')}"`
}

/** A decimal-floating-point (RFC 8216bis §4.2), to the microsecond. */
function decimal(value: number): string {
  return value.toFixed(6).replace(/\.?0+$/, '')
}
