import { box, u16, u32, zeros } from '#media/wire/bmff-write.ts'
import { esdsBox } from '#media/wire/codec-audio.ts'
import type { Frame } from './frame.ts'

const RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350]

/** Read the ADTS frame at `at` (ISO 13818-7 §6.2). @returns null when none is there */
export function readAdts(octets: Buffer, at: number): Frame | null {
  if (octets.length - at < 7 || (octets.readUInt16BE(at) & 0xfff6) !== 0xfff0) return null
  const bits = octets.readUInt32BE(at + 2)
  const rateIndex = (bits >>> 26) & 15
  const sampleRate = RATES[rateIndex]
  const config = (bits >>> 22) & 7
  const frame = (bits >>> 5) & 0x1fff
  const headerOctets = octets[at + 1]! & 1 ? 7 : 9
  if (sampleRate === undefined || config === 0 || frame < headerOctets) return null
  const channels = config === 7 ? 8 : config
  // 1 Main, 2 LC, 3 SSR, 4 LTP
  const objectType = (bits >>> 30) + 1
  return {
    ...{ octets: frame, headerOctets, ticks: 1024, isLeftOut: false },
    ...{ codec: `mp4a.40.${objectType}`, channels, sampleRate },
    entry() {
      const specific = u16((objectType << 11) | (rateIndex << 7) | (config << 3))
      const sound = [zeros(8), u16(channels, 16, 0, 0), u32(sampleRate * 0x10000)]
      return box('mp4a', zeros(6), u16(1), ...sound, esdsBox(0x40, specific))
    },
  }
}
