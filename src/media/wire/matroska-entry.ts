import { box, fullBoxOf, u16, u32, zeros } from './bmff-write.ts'
import { esdsBox } from './codec-audio.ts'
import type { Colour } from './codec-video.ts'
import { colourBox } from './sample-entry.ts'

/** What a decoder is told of a track, as WebCodecs writes it. */
export type DecoderConfig = {
  readonly codec: string
  readonly description: Uint8Array | undefined
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly sampleRate: number
  /** as ISO 23091-2 counts them; undefined when it is not said */
  readonly colour?: Colour | undefined
}

/**
 * The sample entry of a track that comes from Matroska.
 *
 * @param codec as mediabunny names it: avc, hevc, vp8, vp9, av1, aac, opus, mp3, flac, ac3, eac3
 * @param dolby configuration of AC-3 or E-AC-3, from its first frame
 * @returns undefined when the codec has no place in CMAF, or its configuration is missing
 */
export function sampleEntryOf(
  codec: string,
  config: DecoderConfig,
  dolby?: Uint8Array,
): Uint8Array | undefined {
  const video = videoConfig(codec, config)
  if (video) return videoEntry(video.type, config, video.config)
  const sound = soundConfig(codec, config, dolby)
  return sound && soundEntry(sound.type, config, sound.config)
}

type Configured = { readonly type: string; readonly config: Uint8Array }

function videoConfig(codec: string, { codec: name, description }: DecoderConfig): Configured | undefined {
  if (codec === 'avc' && description) return { type: 'avc1', config: box('avcC', description) }
  if (codec === 'hevc' && description) return { type: 'hvc1', config: box('hvcC', description) }
  if (codec === 'vp8') return { type: 'vp08', config: vpcC([0, 10, 8]) }
  if (codec === 'vp9') return { type: 'vp09', config: vpcC(name.split('.').slice(1).map(Number)) }
  return codec === 'av1'
    ? { type: 'av01', config: description ? box('av1C', description) : av1C(name) }
    : undefined
}

/** Of vp09.PP.LL.DD.CC.cp.tc.mc.FF: what is not said is 4:2:0 and not specified (2). */
function vpcC([
  profile = 0,
  level = 10,
  depth = 8,
  sampling = 1,
  primaries = 2,
  transfer = 2,
  matrix = 2,
  full = 0,
]: number[]) {
  const packed = (depth << 4) | (sampling << 1) | full
  return fullBoxOf('vpcC', 1, 0, Uint8Array.of(profile, level, packed, primaries, transfer, matrix, 0, 0))
}

/** Of av01.P.LLT.DD.M.CCC; the sequence header stands in each key frame. */
function av1C(name: string): Uint8Array {
  const [, profile = '0', level = '00M', depth = '8', mono = '0', sampling = '110'] = name.split('.')
  const high = Number(depth) > 8 ? 0x40 : 0
  const twelve = Number(depth) > 10 ? 0x20 : 0
  const [x, y, position] = [...sampling].map(Number)
  const tier = level.endsWith('H') ? 0x80 : 0
  const flags = tier | high | twelve | (Number(mono) << 4) | (x! << 3) | (y! << 2) | position!
  return box('av1C', Uint8Array.of(0x81, (Number(profile) << 5) | Number.parseInt(level, 10), flags, 0))
}

function videoEntry(type: string, { width, height, colour }: DecoderConfig, config: Uint8Array): Uint8Array {
  const head = [zeros(6), u16(1), zeros(16), u16(width, height), u32(0x480000, 0x480000, 0)]
  const more = colour === undefined ? [] : [colourBox(colour)]
  return box(type, ...head, u16(1), zeros(32), u16(0x18, 0xffff), config, ...more)
}

function soundConfig(
  codec: string,
  { description }: DecoderConfig,
  dolby?: Uint8Array,
): Configured | undefined {
  if (codec === 'aac' && description) return { type: 'mp4a', config: esdsBox(0x40, description) }
  if (codec === 'mp3') return { type: 'mp4a', config: esdsBox(0x6b, zeros(0)) }
  if (codec === 'opus' && description) return { type: 'Opus', config: dOps(description) }
  // RFC 9639 §6: `fLaC` stands before the metadata blocks.
  if (codec === 'flac' && description)
    return { type: 'fLaC', config: fullBoxOf('dfLa', 0, 0, description.subarray(4)) }
  if (codec === 'ac3' && dolby) return { type: 'ac-3', config: dolby }
  return codec === 'eac3' && dolby ? { type: 'ec-3', config: dolby } : undefined
}

/** OpusHead (RFC 7845 §5.1) has its numbers the other way round, and a magic of eight octets before. */
function dOps(head: Uint8Array): Uint8Array {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const numbers = [
    u16(view.getUint16(10, true)),
    u32(view.getUint32(12, true)),
    u16(view.getUint16(16, true)),
  ]
  return box('dOps', Uint8Array.of(0, head[9]!), ...numbers, head.subarray(18))
}

/** Samples of 48 kHz that Opus decodes before there is sound (RFC 7845 §5.1). */
export function preSkip(head: Uint8Array): number {
  return head[10]! | (head[11]! << 8)
}

function soundEntry(type: string, { channels, sampleRate }: DecoderConfig, config: Uint8Array): Uint8Array {
  const rate = sampleRate < 0x10000 ? sampleRate * 0x10000 : 0
  return box(type, zeros(6), u16(1), zeros(8), u16(channels, 16), zeros(4), u32(rate), config)
}
