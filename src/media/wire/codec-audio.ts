import { type Box, type Fields, fieldsOf } from './bmff.ts'
import { fullBoxOf, u16, u32 } from './bmff-write.ts'
import { MediaFault } from './fault.ts'

/** What a decoder's configuration says of sound. */
export type Sound = { readonly codec: string; readonly channels: number; readonly sampleRate: number }

const aacRates = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]
const aacChannels = [0, 1, 2, 3, 4, 5, 6, 8, 0, 0, 0, 7, 8, 24, 8]
const dolbyChannels = [2, 1, 2, 3, 3, 4, 4, 5]
const dolbyRates = [48000, 44100, 32000]

/** An elementary stream descriptor (ISO 14496-1 §7.2.6.5): which codec, and its configuration. */
export type EsDescriptor = { readonly objectType: number; readonly config: Uint8Array }

/** Read `esds`; the config is empty when there is none, as with MP3. */
export function esDescriptor(esds: Box): EsDescriptor {
  const es = fieldsOf({ ...esds, content: descriptor(afterVersion(esds), esds, 3) })
  es.skip(2)
  const flags = es.u8()
  if (flags & 0x80) es.skip(2)
  if (flags & 0x40) es.skip(es.u8())
  if (flags & 0x20) es.skip(2)
  const decoder = fieldsOf({ ...esds, content: descriptor(es, esds, 4) })
  const objectType = decoder.u8()
  decoder.skip(12)
  const config = decoder.left() > 2 ? descriptor(decoder, esds, 5) : new Uint8Array()
  return { objectType, config }
}

function afterVersion(box: Box): Fields {
  const fields = fieldsOf(box)
  fields.skip(4)
  return fields
}

/** A descriptor's content: tag, then a length of one to four octets with seven bits each (ISO 14496-1 §8.3.3). */
function descriptor(fields: Fields, esds: Box, wanted: number): Uint8Array {
  const tag = fields.u8()
  if (tag !== wanted) {
    throw new MediaFault(`esds at octet ${esds.at} has a descriptor of tag ${tag} where ${wanted} must stand`)
  }
  let octets = 0
  for (let i = 0; i < 4; i++) {
    const octet = fields.u8()
    octets = (octets << 7) | (octet & 0x7f)
    if (octet < 0x80) break
  }
  return fields.take(Math.min(octets, fields.left()))
}

/** AAC and MP3 in `mp4a` (RFC 6381 §3.3): `mp4a.40.2`, or the object type alone. */
export function mp4aSound({ objectType, config }: EsDescriptor, entry: Sound): Sound | undefined {
  if (objectType === 0x69 || objectType === 0x6b) return { ...entry, codec: 'mp4a.6B' }
  if (![0x40, 0x66, 0x67, 0x68].includes(objectType)) return undefined
  const aac = aacConfig(config)
  const codec = objectType === 0x40 ? `mp4a.40.${aac?.objectType ?? 2}` : 'mp4a.67'
  return { codec, channels: aac?.channels || entry.channels, sampleRate: aac?.sampleRate || entry.sampleRate }
}

/** What AudioSpecificConfig says (ISO 14496-3 §1.6.2.1). */
export type AacConfig = {
  readonly objectType: number
  /** The object type of the core, which ADTS names: 2 also for HE-AAC. */
  readonly coreType: number
  readonly coreRateIndex: number
  readonly channelConfig: number
  readonly channels: number
  readonly sampleRate: number
}

/** Read AudioSpecificConfig; undefined when it is too short to be one. */
export function aacConfig(config: Uint8Array): AacConfig | undefined {
  if (config.length < 2) return undefined
  const bits = bitsOf(config)
  const objectType = objectTypeOf(bits)
  const coreRateIndex = bits(4)
  const coreRate = coreRateIndex === 15 ? bits(24) : aacRates[coreRateIndex]
  const channelConfig = bits(4)
  const isSbr = objectType === 5 || objectType === 29
  const wideIndex = isSbr ? bits(4) : 0
  const sampleRate = isSbr ? (wideIndex === 15 ? bits(24) : aacRates[wideIndex]) : coreRate
  const coreType = isSbr ? objectTypeOf(bits) : objectType
  const channels = objectType === 29 && channelConfig === 1 ? 2 : (aacChannels[channelConfig] ?? 0)
  return { objectType, coreType, coreRateIndex, channelConfig, channels, sampleRate: sampleRate ?? 0 }
}

function objectTypeOf(bits: (count: number) => number): number {
  const type = bits(5)
  return type === 31 ? 32 + bits(6) : type
}

/** Read bits from the left; zeros behind the end. */
export function bitsOf(octets: Uint8Array): (count: number) => number {
  let at = 0
  return (count) => {
    let value = 0
    for (let i = 0; i < count; i++, at++) value = value * 2 + (((octets[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
    return value
  }
}

/** Opus (its ISO binding §4.3.2); it always decodes to 48 kHz. */
export function opusSound(dOps: Box): Sound {
  const fields = fieldsOf(dOps)
  fields.skip(1)
  return { codec: 'opus', channels: fields.u8(), sampleRate: 48000 }
}

/** FLAC: the STREAMINFO block (RFC 9639 §8.2) in `dfLa`. */
export function flacSound(dfLa: Box): Sound {
  const fields = fieldsOf(dfLa)
  fields.skip(4 + 4 + 10)
  const rate = fields.u24()
  return { codec: 'flac', channels: ((rate >> 1) & 7) + 1, sampleRate: rate >> 4 }
}

/** AC-3 (ETSI TS 102 366 §F.4). */
export function ac3Sound(dac3: Box): Sound {
  return dolby('ac-3', fieldsOf(dac3).u24(), 22, 11, 10)
}

/** E-AC-3 (ETSI TS 102 366 §F.6): the first independent substream. */
export function eac3Sound(dec3: Box): Sound {
  const fields = fieldsOf(dec3)
  fields.skip(2)
  return dolby('ec-3', fields.u24(), 22, 9, 8)
}

function dolby(codec: string, bits: number, rate: number, mode: number, lfe: number): Sound {
  const channels = dolbyChannels[(bits >> mode) & 7]! + ((bits >> lfe) & 1)
  return { codec, channels, sampleRate: dolbyRates[(bits >> rate) & 3] ?? 48000 }
}

/** `esds` around a configuration, for files that keep theirs elsewhere. */
export function esdsBox(objectType: number, config: Uint8Array): Uint8Array {
  const specific = config.length > 0 ? described(5, config) : config
  const decoder = described(4, Uint8Array.of(objectType, 0x15, 0, 0, 0), u32(0, 0), specific)
  return fullBoxOf(
    'esds',
    0,
    0,
    described(3, u16(0), Uint8Array.of(0), decoder, described(6, Uint8Array.of(2))),
  )
}

function described(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts)
  const lengths = [21, 14, 7, 0].map((shift) => ((content.length >> shift) & 0x7f) | (shift ? 0x80 : 0))
  return Buffer.concat([Uint8Array.of(tag, ...lengths), content])
}
