import { boxesIn } from '#media/wire/bmff.ts'
import { box, u16, u32, zeros } from '#media/wire/bmff-write.ts'
import { ac3Sound, bitsOf, eac3Sound } from '#media/wire/codec-audio.ts'
import { dolbyConfig } from '#media/wire/codec-dolby.ts'
import type { Frame } from './frame.ts'

const RATES = [48_000, 44_100, 32_000]
/** Kilobits a second by half of `frmsizecod` (ETSI TS 102 366 §4.4.1.4). */
const KILOBITS = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640]
const BLOCK_SAMPLES = 256

/** Read the frame of AC-3 or E-AC-3 at `at` (ETSI TS 102 366 §4.3.1, §E.1.2). @returns null when none is there */
export function readDolby(octets: Buffer, at: number): Frame | null {
  if (octets.length - at < 8 || octets.readUInt16BE(at) !== 0x0b77) return null
  // bsid lies at the same place in both.
  return octets[at + 5]! >> 3 > 10 ? readEac3(octets.subarray(at)) : readAc3(octets.subarray(at))
}

function readAc3(octets: Buffer): Frame | null {
  const [rate, size] = [octets[4]! >> 6, octets[4]! & 63]
  const [hertz, kilobits] = [RATES[rate], KILOBITS[size >> 1]]
  if (hertz === undefined || kilobits === undefined) return null
  // 1536 samples, in words of 16 bits; at 44.1 kHz every other frame has one more.
  const words = Math.floor((kilobits * 96_000) / hertz) + (rate === 1 ? size & 1 : 0)
  return frameOf(octets, { codec: 'ac3', octets: 2 * words, ticks: 6 * BLOCK_SAMPLES, isLeftOut: false })
}

function readEac3(octets: Buffer): Frame | null {
  const bits = bitsOf(octets.subarray(2, 6))
  const [kind, substream, words, rate, count] = [bits(2), bits(3), bits(11) + 1, bits(2), bits(2)]
  // Rates below 32 kHz have another header, and no sample entry says them.
  if (rate === 3) return null
  const ticks = [1, 2, 3, 6][count]! * BLOCK_SAMPLES
  // What goes on top of the first substream has no place in a sample entry of one.
  const isLeftOut = kind === 1 || substream !== 0
  return frameOf(octets, { codec: 'eac3', octets: 2 * words, ticks, isLeftOut })
}

function frameOf(
  octets: Buffer,
  frame: Pick<Frame, 'octets' | 'ticks' | 'isLeftOut'> & { readonly codec: 'ac3' | 'eac3' },
): Frame {
  const { codec, ...lengths } = frame
  const config = dolbyConfig(codec, octets.subarray(0, 8))!
  const [dolby] = boxesIn(config, 0)
  const sound = codec === 'ac3' ? ac3Sound(dolby!) : eac3Sound(dolby!)
  const { channels, sampleRate } = sound
  const head = [zeros(8), u16(channels, 16, 0, 0), u32(sampleRate * 0x10000)]
  return {
    ...{ ...lengths, ...sound, headerOctets: 0 },
    entry: () => box(sound.codec, zeros(6), u16(1), ...head, config),
  }
}
