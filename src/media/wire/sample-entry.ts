import { type Box, boxesIn, childOf, children, fieldsOf, fullBox, printable } from './bmff.ts'
import { box, u16, u32, zeros } from './bmff-write.ts'
import {
  ac3Sound,
  eac3Sound,
  esDescriptor,
  esdsBox,
  flacSound,
  mp4aSound,
  opusSound,
  type Sound,
} from './codec-audio.ts'
import { av1Codec, avcCodec, type Colour, hevcCodec, vpCodec } from './codec-video.ts'
import { MediaFault } from './fault.ts'

/** How a track's samples are coded (ISO 14496-12 §8.5.2), as CMAF writes it. */
export type SampleEntry = {
  readonly codec: string
  /** The entry's box, without what only QuickTime knows. */
  readonly octets: Uint8Array
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly sampleRate: number
}

const encrypted = ['encv', 'enca', 'encs', 'encm', 'drms', 'drmi', 'p608']
const videoOctets = 78
const soundOctets = 28

/**
 * Read the sample entries of `stsd`.
 *
 * @returns a reason instead, when the track cannot be offered: encrypted, or a codec that CMAF and browsers do not know
 * @throws {MediaFault} when an entry is cut short
 */
export function sampleEntries(stsd: Box, kind: 'video' | 'audio' | 'text'): SampleEntry[] | string {
  const { version, fields } = fullBox(stsd)
  const count = fields.u32()
  const boxes = children(stsd, 8)
  if (boxes.length < count || count === 0) {
    throw new MediaFault(`stsd at octet ${stsd.at} says ${count} sample entries; ${boxes.length} are there`)
  }
  const entries: SampleEntry[] = []
  for (const entry of boxes.slice(0, count)) {
    if (encrypted.includes(entry.type)) return `is encrypted (${entry.type}): offer a film without encryption`
    const read =
      kind === 'video' ? videoEntry(entry) : kind === 'audio' ? soundEntry(entry, version) : textEntry(entry)
    if (typeof read === 'string') return read
    entries.push(read)
  }
  return entries
}

/** Timed text of 3GPP (TS 26.245 §5.16), WebVTT and TTML (ISO 14496-30 §7.5, §6): what can be written as WebVTT. */
function textEntry({ type, content }: Box): SampleEntry | string {
  if (!['tx3g', 'wvtt', 'stpp'].includes(type)) return `has ${printable(type)} text, which is not WebVTT`
  return { codec: type, octets: box(type, content), width: 0, height: 0, channels: 0, sampleRate: 0 }
}

const configs: Record<string, string> = {
  avc1: 'avcC',
  avc3: 'avcC',
  hvc1: 'hvcC',
  hev1: 'hvcC',
  av01: 'av1C',
  vp08: 'vpcC',
  vp09: 'vpcC',
}
const keptOfVideo = [
  'avcC',
  'hvcC',
  'av1C',
  'vpcC',
  'dvcC',
  'dvvC',
  'pasp',
  'btrt',
  'clli',
  'mdcv',
  'SmDm',
  'CoLL',
]

function videoEntry(entry: Box): SampleEntry | string {
  const fields = fieldsOf(entry)
  fields.skip(24)
  const [width, height] = [fields.u16(), fields.u16()]
  fields.skip(videoOctets - 28)
  const name = configs[entry.type]
  if (!name) return `has ${printable(entry.type)} video, which browsers do not play: transcode it`
  const parts = children(entry, videoOctets)
  const config = childOf(parts, name)
  if (!config) throw new MediaFault(`Sample entry ${entry.type} at octet ${entry.at} has no ${name}`)
  const colour = colourOf(parts)
  const type = entry.type === 'hev1' && hasParameterSets(config) ? 'hvc1' : entry.type
  const kept = parts.filter(({ type }) => keptOfVideo.includes(type)).map(asBox)
  if (colour) kept.push(colourBox(colour))
  const octets = box(type, entry.content.subarray(0, videoOctets), ...kept)
  return { codec: videoCodec(type, config, colour), octets, width, height, channels: 0, sampleRate: 0 }
}

function videoCodec(type: string, config: Box, colour: Colour | undefined): string {
  if (config.type === 'avcC') return avcCodec(type, config)
  if (config.type === 'hvcC') return hevcCodec(type, config)
  return config.type === 'av1C' ? av1Codec(config, colour) : vpCodec(type, config)
}

/** Apple plays `hvc1` alone; `hev1` whose sets (32 VPS, 33 SPS, 34 PPS) all stand in hvcC can be named so. */
function hasParameterSets(hvcC: Box): boolean {
  const fields = fieldsOf(hvcC)
  fields.skip(22)
  const found = new Set<number>()
  for (let arrays = fields.u8(); arrays > 0; arrays--) {
    found.add(fields.u8() & 63)
    for (let units = fields.u16(); units > 0; units--) fields.skip(fields.u16())
  }
  return [32, 33, 34].every((type) => found.has(type))
}

/** QuickTime's `nclc` is `nclx` without the range. */
function colourOf(parts: readonly Box[]): Colour | undefined {
  for (const part of parts) {
    if (part.type !== 'colr') continue
    const fields = fieldsOf(part)
    const kind = fields.text(4)
    if (kind !== 'nclx' && kind !== 'nclc') continue
    const [primaries, transfer, matrix] = [fields.u16(), fields.u16(), fields.u16()]
    return { primaries, transfer, matrix, full: kind === 'nclx' ? fields.u8() >> 7 : 0 }
  }
  return undefined
}

/** Colours as CMAF has them (ISO 14496-12 §12.1.5). */
export function colourBox({ primaries, transfer, matrix, full }: Colour): Uint8Array {
  return box('colr', 'nclx', u16(primaries, transfer, matrix), Uint8Array.of(full << 7))
}

function soundEntry(entry: Box, stsdVersion: number): SampleEntry | string {
  const { sound: written, parts } = soundFields(entry, stsdVersion)
  const known = soundConfig(entry, parts, written)
  if (typeof known === 'string') return known
  const { sound, config, type } = known
  // ISO 14496-12 §12.2.3.2: the rate has 16 bits; what does not fit is 0, and the configuration says it.
  const rate = sound.sampleRate < 0x10000 ? sound.sampleRate * 0x10000 : 0
  const head = [zeros(6), u16(1), zeros(8), u16(sound.channels, 16), zeros(4), u32(rate)]
  return { ...sound, octets: box(type, ...head, config), width: 0, height: 0 }
}

/** QuickTime's versions 1 and 2 have more fields, and hide the configuration in `wave`. */
function soundFields(entry: Box, stsdVersion: number): { sound: Sound; parts: readonly Box[] } {
  const fields = fieldsOf(entry)
  fields.skip(8)
  const version = stsdVersion === 0 ? fields.u16() : fields.u16() * 0
  fields.skip(6)
  let channels = fields.u16()
  fields.skip(6)
  let sampleRate = fields.u32() / 0x10000
  if (version === 2) {
    fields.skip(4)
    sampleRate = new DataView(Uint8Array.from(fields.take(8)).buffer).getFloat64(0)
    channels = fields.u32()
  }
  const more = version === 1 ? 16 : version === 2 ? 36 : 0
  const parts = children(entry, Math.min(entry.content.length, soundOctets + more))
  const wave = childOf(parts, 'wave')
  const inside = wave ? boxesIn(wave.content, wave.at) : []
  return { sound: { codec: '', channels, sampleRate: Math.round(sampleRate) }, parts: [...parts, ...inside] }
}

type SoundConfig = { readonly sound: Sound; readonly config: Uint8Array; readonly type: string }

function soundConfig(entry: Box, parts: readonly Box[], written: Sound): SoundConfig | string {
  const { type } = entry
  if (type === '.mp3')
    return { sound: { ...written, codec: 'mp4a.6B' }, config: esdsBox(0x6b, zeros(0)), type: 'mp4a' }
  const reader = soundReaders[type]
  if (!reader) return `has ${printable(type)} sound, which browsers do not play: transcode it`
  const config = childOf(parts, reader.config)
  if (!config) throw new MediaFault(`Sample entry ${type} at octet ${entry.at} has no ${reader.config}`)
  const sound = reader.read(config, written)
  if (!sound)
    return `has sound of object type ${esDescriptor(config).objectType} in mp4a, which browsers do not play`
  return { sound, config: asBox(config), type }
}

const soundReaders: Record<
  string,
  { config: string; read: (config: Box, written: Sound) => Sound | undefined }
> = {
  mp4a: { config: 'esds', read: (esds, written) => mp4aSound(esDescriptor(esds), written) },
  Opus: { config: 'dOps', read: opusSound },
  fLaC: { config: 'dfLa', read: flacSound },
  'ac-3': { config: 'dac3', read: ac3Sound },
  'ec-3': { config: 'dec3', read: eac3Sound },
}

function asBox({ type, content }: Box): Uint8Array {
  return box(type, content)
}
