import { box, u16, u32, zeros } from '#media/wire/bmff-write.ts'
import { esdsBox } from '#media/wire/codec-audio.ts'

/** What the header of an ADTS frame says (ISO 13818-7 §6.2). */
export type AdtsHeader = {
  /** 1 Main, 2 LC, 3 SSR, 4 LTP */
  readonly objectType: number
  readonly rateIndex: number
  readonly sampleRate: number
  readonly channels: number
  readonly headerOctets: number
  /** with its header */
  readonly octets: number
}

const RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]

/** Read the header at `at`. @returns null when none is there */
export function readAdts(octets: Buffer, at: number): AdtsHeader | null {
  if (octets.length - at < 7 || (octets.readUInt16BE(at) & 0xfff6) !== 0xfff0) return null
  const bits = octets.readUInt32BE(at + 2)
  const rateIndex = (bits >>> 26) & 15
  const sampleRate = RATES[rateIndex]
  const config = (bits >>> 22) & 7
  const frame = (bits >>> 5) & 0x1fff
  const headerOctets = octets[at + 1]! & 1 ? 7 : 9
  if (sampleRate === undefined || config === 0 || frame < headerOctets) return null
  const channels = config === 7 ? 8 : config
  return { objectType: (bits >>> 30) + 1, rateIndex, sampleRate, channels, headerOctets, octets: frame }
}

/** Sample entry of a stream with such frames. */
export function aacEntry({ objectType, rateIndex, sampleRate, channels }: AdtsHeader): {
  codec: string
  entry: Uint8Array
} {
  const config = (objectType << 11) | (rateIndex << 7) | ((channels === 8 ? 7 : channels) << 3)
  const esds = esdsBox(0x40, u16(config))
  const sound = [zeros(8), u16(channels, 16, 0, 0), u32(sampleRate * 0x10000)]
  return { codec: `mp4a.40.${objectType}`, entry: box('mp4a', zeros(6), u16(1), ...sound, esds) }
}
