import type { Picture } from './multivariant.ts'

/** A Media Presentation Description (ISO 23009-1 §5.3). Seconds, bits a second. */
export type Mpd = {
  /** whole, or growing: what a player must know to follow it */
  readonly live: LiveMpd | null
  /** of a whole one; null while it grows */
  readonly durationSeconds: number | null
  readonly minBufferSeconds: number
  readonly periods: readonly Period[]
}

export type LiveMpd = {
  /** milliseconds since 1970 */
  readonly availabilityStartMs: number
  readonly publishMs: number
  readonly updateSeconds: number
  /** null: everything stays */
  readonly windowSeconds: number | null
  readonly delaySeconds: number
  /** where players read the time (`urn:mpeg:dash:utc:http-iso:2014`) */
  readonly timeUrl?: string
  /** milliseconds that players aim to be behind; absent: no low latency */
  readonly latencyMs?: number
}

export type Period = {
  readonly id: string
  readonly startSeconds: number
  readonly adaptationSets: readonly AdaptationSet[]
}

export type AdaptationSet = {
  readonly contentType: 'video' | 'audio' | 'text'
  readonly mimeType: string
  /** BCP 47; null when it is not known */
  readonly language: string | null
  readonly label: string | null
  /** segments of all representations begin together */
  readonly isAligned: boolean
  readonly role: 'main' | 'alternate' | 'subtitle' | null
  /** of what is live: when which sample came (ISO 23009-1 §5.12), in the ticks of the first representation */
  readonly producedAt?: { readonly ms: number; readonly ticks: number }
  readonly representations: readonly Representation[]
}

export type Representation = {
  readonly id: string
  readonly bandwidth: number
  readonly codecs: string | null
  readonly picture: Picture | null
  readonly sound: { readonly sampleRate: number; readonly channels: number } | null
  /** what the URLs below stand on, relative to that of the MPD; '' for itself */
  readonly baseUrl: string
  /** null: `baseUrl` is the whole content */
  readonly template: SegmentTemplate | null
}

/** SegmentTemplate with SegmentTimeline (§5.3.9.6); `media` has `$Number$` or `$Time$` in it. */
export type SegmentTemplate = {
  readonly timescale: number
  readonly initialization: string
  readonly media: string
  readonly startNumber: number
  readonly offsetTicks: number
  /** seconds that segments can be had before they are whole; absent: they cannot */
  readonly availableEarlySeconds?: number
  readonly timeline: readonly Stretch[]
}

/** So many segments of one length, one after another. */
export type Stretch = { readonly startTicks: number; readonly durationTicks: number; readonly count: number }

/** Join segments of equal length that follow each other. */
export function stretchesOf(
  segments: Iterable<{ readonly startTicks: number; readonly durationTicks: number }>,
): Stretch[] {
  const stretches: Stretch[] = []
  for (const { startTicks, durationTicks } of segments) {
    const last = stretches.at(-1)
    const isNext =
      last !== undefined &&
      last.durationTicks === durationTicks &&
      last.startTicks + last.count * durationTicks === startTicks
    if (isNext) stretches[stretches.length - 1] = { ...last, count: last.count + 1 }
    else stretches.push({ startTicks, durationTicks, count: 1 })
  }
  return stretches
}

/** Write an MPD of the live profile, which whole films may have too (ISO 23009-1 §8.4). */
export function writeMpd(mpd: Mpd): string {
  const root = element(
    'MPD',
    [...rootAttributes(mpd)],
    [
      ...(mpd.live?.latencyMs === undefined ? [] : [serviceDescription(mpd.live.latencyMs)]),
      ...mpd.periods.map(periodElement),
      ...(mpd.live?.timeUrl === undefined
        ? []
        : [descriptor('UTCTiming', 'urn:mpeg:dash:utc:http-iso:2014', mpd.live.timeUrl)]),
    ],
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`
}

type Attribute = readonly [name: string, value: string | number | boolean | null]

function rootAttributes({ live, durationSeconds, minBufferSeconds }: Mpd): Attribute[] {
  return [
    ['xmlns', 'urn:mpeg:dash:schema:mpd:2011'],
    ['profiles', 'urn:mpeg:dash:profile:isoff-live:2011'],
    ['type', live === null ? 'static' : 'dynamic'],
    ['mediaPresentationDuration', durationSeconds === null ? null : duration(durationSeconds)],
    ['minBufferTime', duration(minBufferSeconds)],
    ...(live === null ? [] : liveAttributes(live)),
  ]
}

function liveAttributes(live: LiveMpd): Attribute[] {
  return [
    ['availabilityStartTime', new Date(live.availabilityStartMs).toISOString()],
    ['publishTime', new Date(live.publishMs).toISOString()],
    ['minimumUpdatePeriod', duration(live.updateSeconds)],
    ['timeShiftBufferDepth', live.windowSeconds === null ? null : duration(live.windowSeconds)],
    ['suggestedPresentationDelay', duration(live.delaySeconds)],
  ]
}

function serviceDescription(latencyMs: number): string {
  const latency = element(
    'Latency',
    [
      ['target', latencyMs],
      ['referenceId', 0],
    ],
    [],
  )
  return element('ServiceDescription', [['id', 0]], [latency])
}

function periodElement({ id, startSeconds, adaptationSets }: Period): string {
  return element(
    'Period',
    [
      ['id', id],
      ['start', duration(startSeconds)],
    ],
    adaptationSets.map(setElement),
  )
}

function setElement(set: AdaptationSet, index: number): string {
  const { contentType, mimeType, language, label, isAligned, role, producedAt, representations } = set
  return element(
    'AdaptationSet',
    [
      ['id', index],
      ['contentType', contentType],
      ['mimeType', mimeType],
      ['lang', language],
      ['segmentAlignment', isAligned ? true : null],
      // Every segment begins with a key frame (§5.3.3.2).
      ['startWithSAP', contentType === 'text' ? null : 1],
      ...largest(representations),
    ],
    // The order of the schema (Annex B): Label, ProducerReferenceTime, Role, then what is offered.
    [
      ...(label === null ? [] : [`<Label>${escapeXml(label)}</Label>`]),
      ...(producedAt === undefined ? [] : [producerTime(producedAt)]),
      ...(role === null ? [] : [descriptor('Role', 'urn:mpeg:dash:role:2011', role)]),
      ...representations.map(representationElement),
    ],
  )
}

/** What the latency of the service description is counted from, by its id. */
function producerTime({ ms, ticks }: NonNullable<AdaptationSet['producedAt']>): string {
  const attributes: Attribute[] = [
    ['id', 0],
    ['type', 'encoder'],
    ['wallClockTime', new Date(ms).toISOString()],
    ['presentationTime', ticks],
  ]
  return element('ProducerReferenceTime', attributes, [])
}

function largest(representations: readonly Representation[]): Attribute[] {
  const pictures = representations.flatMap(({ picture }) => picture ?? [])
  if (pictures.length < 2) return []
  return [
    ['maxWidth', Math.max(...pictures.map(({ width }) => width))],
    ['maxHeight', Math.max(...pictures.map(({ height }) => height))],
  ]
}

function representationElement(representation: Representation): string {
  const { id, bandwidth, codecs, picture, sound, baseUrl, template } = representation
  return element(
    'Representation',
    [
      ['id', id],
      ['codecs', codecs],
      ['bandwidth', Math.max(1, Math.ceil(bandwidth))],
      ['width', picture?.width ?? null],
      ['height', picture?.height ?? null],
      ['frameRate', picture === null || picture.frameRate === 0 ? null : frameRate(picture.frameRate)],
      ['audioSamplingRate', sound?.sampleRate ?? null],
    ],
    [
      ...(sound === null || sound.channels === 0
        ? []
        : [descriptor('AudioChannelConfiguration', CHANNELS, `${sound.channels}`)]),
      ...(picture?.range == null
        ? []
        : [descriptor('SupplementalProperty', TRANSFER, `${TRANSFERS[picture.range]}`)]),
      ...(baseUrl === '' ? [] : [`<BaseURL>${escapeXml(baseUrl)}</BaseURL>`]),
      ...(template === null ? [] : [templateElement(template)]),
    ],
  )
}

/** ISO 23091-2, of pictures that are not SDR. */
const TRANSFER = 'urn:mpeg:mpegB:cicp:TransferCharacteristics'
const TRANSFERS = { PQ: 16, HLG: 18 } as const

const CHANNELS = 'urn:mpeg:dash:23003:3:audio_channel_configuration:2011'

function templateElement(template: SegmentTemplate): string {
  const { timescale, initialization, media, startNumber, offsetTicks, availableEarlySeconds, timeline } =
    template
  return element(
    'SegmentTemplate',
    [
      ['timescale', timescale],
      ['initialization', initialization],
      ['media', media],
      ['startNumber', startNumber],
      ['presentationTimeOffset', offsetTicks === 0 ? null : offsetTicks],
      ['availabilityTimeOffset', availableEarlySeconds ?? null],
      ['availabilityTimeComplete', availableEarlySeconds === undefined ? null : false],
    ],
    [element('SegmentTimeline', [], timelineElements(timeline))],
  )
}

function timelineElements(timeline: readonly Stretch[]): string[] {
  let next = Number.NaN
  return timeline.map(({ startTicks, durationTicks, count }) => {
    const isNext = startTicks === next
    next = startTicks + durationTicks * count
    return element(
      'S',
      [
        ['t', isNext ? null : startTicks],
        ['d', durationTicks],
        ['r', count === 1 ? null : count - 1],
      ],
      [],
    )
  })
}

/** Frames a second as the quotient that cameras and televisions mean (§5.3.7.2). */
function frameRate(rate: number): string {
  const whole = Math.round(rate)
  if (Math.abs(rate - whole) < 0.005) return `${whole}`
  const ntsc = Math.round(rate * 1.001)
  if (Math.abs((ntsc * 1000) / 1001 - rate) < 0.005) return `${ntsc * 1000}/1001`
  return `${Math.round(rate * 1000)}/1000`
}

/** A duration of XML Schema, to the millisecond. */
function duration(seconds: number): string {
  return `PT${seconds.toFixed(3).replace(/\.?0+$/, '')}S`
}

function descriptor(name: string, scheme: string, value: string): string {
  return element(
    name,
    [
      ['schemeIdUri', scheme],
      ['value', value],
    ],
    [],
  )
}

function element(name: string, attributes: readonly Attribute[], inner: readonly string[]): string {
  const written = attributes.flatMap(([key, value]) =>
    value === null ? [] : [` ${key}="${escapeXml(`${value}`)}"`],
  )
  if (inner.length === 0) return `<${name}${written.join('')}/>`
  return `<${name}${written.join('')}>\n${inner.join('\n')}\n</${name}>`
}

/** Text and attributes; what XML 1.0 has no place for goes. */
function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"\t\r\n]/g, (c) => `&#${c.charCodeAt(0)};`)
}
