import { quoted } from './m3u8.ts'
import type { VideoRange } from './video-range.ts'

/** A Multivariant Playlist (RFC 8216bis §4.4.6). */
export type MultivariantPlaylist = {
  readonly renditions: readonly Rendition[]
  readonly variants: readonly Variant[]
  readonly iFrames: readonly IFrameVariant[]
}

/** EXT-X-MEDIA: one of several that stand for each other. */
export type Rendition = {
  readonly type: 'AUDIO' | 'SUBTITLES'
  readonly groupId: string
  readonly name: string
  /** BCP 47; null when it is not known */
  readonly language: string | null
  readonly isDefault: boolean
  /** may be chosen without the user, by language */
  readonly isAutoselect: boolean
  readonly isForced?: boolean
  /** null where it is in the variant's own segments */
  readonly uri: string | null
  /** of audio; null for others */
  readonly channels: number | null
}

/** EXT-X-STREAM-INF. Bits a second. */
export type Variant = {
  readonly uri: string
  /** of the fullest stretch, and of all */
  readonly bandwidth: number
  readonly averageBandwidth: number
  /** RFC 6381, of everything that is played with it */
  readonly codecs: readonly string[]
  /** null for audio alone */
  readonly picture: Picture | null
  readonly audioGroup: string | null
  readonly subtitleGroup: string | null
}

export type Picture = Partial<VideoRange> & {
  readonly width: number
  readonly height: number
  readonly frameRate: number
}

/** EXT-X-I-FRAME-STREAM-INF. */
export type IFrameVariant = Pick<Variant, 'uri' | 'bandwidth' | 'averageBandwidth' | 'codecs'> & {
  readonly picture: Picture
}

/** Write a Multivariant Playlist; the first variant is the one that players begin with. */
export function writeMultivariant({ renditions, variants, iFrames }: MultivariantPlaylist): string {
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    ...renditions.map(mediaLine),
    ...variants.flatMap((variant) => [streamLine(variant), variant.uri]),
    ...iFrames.map(iFrameLine),
  ]
  return `${lines.join('\n')}\n`
}

function mediaLine(rendition: Rendition): string {
  const { type, groupId, name, language, isDefault, isAutoselect, isForced, uri, channels } = rendition
  return attributes('#EXT-X-MEDIA', [
    ['TYPE', type],
    ['GROUP-ID', quoted(groupId)],
    ['NAME', quoted(name)],
    ['LANGUAGE', language === null ? null : quoted(language)],
    ['DEFAULT', isDefault ? 'YES' : 'NO'],
    // RFC 8216bis §4.4.6.1: what is the default must be chosen by itself, too.
    ['AUTOSELECT', isDefault || isAutoselect ? 'YES' : 'NO'],
    ['FORCED', isForced === true ? 'YES' : null],
    ['CHANNELS', channels === null ? null : quoted(`${channels}`)],
    ['URI', uri === null ? null : quoted(uri)],
  ])
}

function streamLine({ picture, audioGroup, subtitleGroup, ...stream }: Variant): string {
  return attributes('#EXT-X-STREAM-INF', [
    ...rates(stream),
    ...(picture === null ? [] : pictureAttributes(picture)),
    ['FRAME-RATE', picture === null || picture.frameRate === 0 ? null : picture.frameRate.toFixed(3)],
    ['AUDIO', audioGroup === null ? null : quoted(audioGroup)],
    ['SUBTITLES', subtitleGroup === null ? null : quoted(subtitleGroup)],
  ])
}

function iFrameLine({ uri, picture, ...stream }: IFrameVariant): string {
  return attributes('#EXT-X-I-FRAME-STREAM-INF', [
    ...rates(stream),
    ...pictureAttributes(picture),
    ['URI', quoted(uri)],
  ])
}

type Attribute = readonly [name: string, value: string | null]

function rates({
  bandwidth,
  averageBandwidth,
  codecs,
}: Pick<Variant, 'bandwidth' | 'averageBandwidth' | 'codecs'>): Attribute[] {
  return [
    ['BANDWIDTH', `${Math.max(1, Math.ceil(bandwidth))}`],
    ['AVERAGE-BANDWIDTH', `${Math.max(1, Math.ceil(averageBandwidth))}`],
    ['CODECS', codecs.length === 0 ? null : quoted(codecs.join(','))],
  ]
}

/** What says nothing of its range is SDR. */
function pictureAttributes({ width, height, range, supplementalCodecs }: Picture): Attribute[] {
  return [
    ['SUPPLEMENTAL-CODECS', supplementalCodecs == null ? null : quoted(supplementalCodecs)],
    ['RESOLUTION', `${width}x${height}`],
    ['VIDEO-RANGE', range ?? null],
  ]
}

function attributes(tag: string, list: readonly Attribute[]): string {
  return `${tag}:${list.flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`])).join(',')}`
}
