import { box } from './bmff-write.ts'
import { bitsOf } from './codec-audio.ts'

/** What a sample entry says of AC-3 or E-AC-3, from the first frame: Matroska keeps no configuration of them. */
export function dolbyConfig(codec: 'ac3' | 'eac3', frame: Uint8Array): Uint8Array | undefined {
  if (frame[0] !== 0x0b || frame[1] !== 0x77) return undefined
  return codec === 'ac3' ? ac3Config(frame) : eac3Config(frame)
}

/** ETSI TS 102 366 §4.4 to §F.4. */
function ac3Config(frame: Uint8Array): Uint8Array {
  const bits = bitsOf(frame.subarray(4))
  const [rate, size, id, mode, channels] = [bits(2), bits(6), bits(5), bits(3), bits(3)]
  if (channels & 1 && channels !== 1) bits(2)
  if (channels & 4) bits(2)
  if (channels === 2) bits(2)
  const low = bits(1)
  const packed =
    (rate << 22) | (id << 17) | (mode << 14) | (channels << 11) | (low << 10) | ((size >> 1) << 5)
  return box('dac3', Uint8Array.of(packed >> 16, packed >> 8, packed))
}

/** ETSI TS 102 366 §E.1.2 to §F.6: one independent substream. */
function eac3Config(frame: Uint8Array): Uint8Array {
  const bits = bitsOf(frame.subarray(2))
  bits(5)
  const words = bits(11) + 1
  const rate = bits(2)
  const blocks = rate === 3 ? bits(2) * 0 + 6 : ([1, 2, 3, 6][bits(2)] ?? 6)
  const [channels, low, id] = [bits(3), bits(1), bits(5)]
  const hertz = [48000, 44100, 32000, 24000][rate]!
  const kilobits = Math.round((words * 16 * hertz) / (blocks * 256) / 1000)
  const packed = (rate << 22) | (id << 17) | (channels << 9) | (low << 8)
  return box('dec3', Uint8Array.of(kilobits >> 5, (kilobits & 31) << 3, packed >> 16, packed >> 8, packed))
}
