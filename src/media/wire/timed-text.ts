import { boxesIn, childOf } from './bmff.ts'
import type { Cue } from './subtitles.ts'

/** What a sample of subtitles shows; times are its own. */
export type Said = Pick<Cue, 'id' | 'settings' | 'text'>

/**
 * Read a sample of timed text (3GPP TS 26.245 §5.17) or of WebVTT in MP4 (ISO 14496-30 §7.4).
 *
 * @returns nothing for a pause, and for what is malformed: the film goes on without it
 */
export function readTimedText(codec: string, sample: Uint8Array): readonly Said[] {
  if (codec === 'tx3g') return plainText(sample)
  try {
    return boxesIn(sample, 0).flatMap((box) => (box.type === 'vttc' ? webVttCue(box.content) : []))
  } catch {
    return []
  }
}

/** Whether a text track is to be shown to everyone: 3GPP TS 26.245 §5.16, all samples are forced. */
export function isForcedText(entry: Uint8Array): boolean {
  const FLAGS_AT = 16
  const isPlain = Buffer.from(entry.subarray(4, 8)).toString('latin1') === 'tx3g'
  return isPlain && ((entry[FLAGS_AT] ?? 0) & 0x80) !== 0
}

/** STYLE and REGION blocks stand in the configuration of WebVTT (ISO 14496-30 §7.5). */
export function textConfig(entry: Uint8Array): Uint8Array | null {
  const HEADER_OCTETS = 16
  try {
    return childOf(boxesIn(entry.subarray(HEADER_OCTETS), 0), 'vttC')?.content ?? null
  } catch {
    return null
  }
}

function plainText(sample: Uint8Array): readonly Said[] {
  const octets = sample.length < 2 ? 0 : sample[0]! * 256 + sample[1]!
  const written = sample.subarray(2, 2 + octets)
  const isWide = (written[0] === 0xfe && written[1] === 0xff) || (written[0] === 0xff && written[1] === 0xfe)
  const coding = !isWide ? 'utf-8' : written[0] === 0xfe ? 'utf-16be' : 'utf-16le'
  const plain = new TextDecoder(coding).decode(written)
  const text = plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return saidOf('', '', text)
}

function webVttCue(content: Uint8Array): readonly Said[] {
  const parts = boxesIn(content, 0)
  const textOf = (type: string): string => new TextDecoder().decode(childOf(parts, type)?.content)
  // Cues of a film are numbered anew: ids need not be one line, and styles seldom ask for them.
  return saidOf(oneLine(textOf('iden')), oneLine(textOf('sttg')), textOf('payl'))
}

/** What can be a cue; nothing where no text is left. */
export function saidOf(id: string, settings: string, written: string): readonly Said[] {
  const lines = written.replaceAll('\0', '').split(/\r\n?|\n/)
  // An empty line would end the cue, and an arrow begin another.
  const text = lines.filter((line) => line.trim() !== '').join('\n')
  return text === '' || `${id}${settings}${text}`.includes('-->') ? [] : [{ id, settings, text }]
}

function oneLine(text: string): string {
  return text.replace(/[\0\r\n]+/g, ' ').trim()
}
