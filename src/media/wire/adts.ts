import { boxesIn, childOf } from './bmff.ts'
import { type AacConfig, aacConfig, esDescriptor } from './codec-audio.ts'

const soundEntryOctets = 28

/** The AAC configuration of a sample entry, when ADTS can say it: object types 1 to 4, a known rate, no own channel map. */
export function adtsConfig(entry: Uint8Array): AacConfig | undefined {
  const [box] = boxesIn(entry, 0)
  if (box?.type !== 'mp4a') return undefined
  const esds = childOf(boxesIn(box.content.subarray(soundEntryOctets), soundEntryOctets), 'esds')
  const config = esds && aacConfig(esDescriptor(esds).config)
  if (!config) return undefined
  const { coreType, coreRateIndex, channelConfig } = config
  const isSayable =
    coreType >= 1 && coreType <= 4 && coreRateIndex < 13 && channelConfig >= 1 && channelConfig <= 7
  return isSayable ? config : undefined
}

/**
 * The header before a frame of AAC in a transport stream (ISO 14496-3 §1.A.3.2): 7 octets, without a checksum.
 *
 * @param octets of the frame; its length with the header has 13 bits
 */
export function adtsHeader(
  { coreType, coreRateIndex, channelConfig }: AacConfig,
  octets: number,
): Uint8Array {
  const length = octets + 7
  return Uint8Array.of(
    0xff,
    0xf1,
    ((coreType - 1) << 6) | (coreRateIndex << 2) | (channelConfig >> 2),
    ((channelConfig & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  )
}
