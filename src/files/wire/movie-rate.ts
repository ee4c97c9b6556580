import { isMatroska } from '#media/wire/matroska-index.ts'
import { matroskaRate, type ReadAt } from './matroska-rate.ts'

/** Whether `movieRate` knows how to read files of a media type. */
export function isMovie(mediaType: string): boolean {
  return /^(?:video|audio)\/(?:mp4|quicktime|x-m4[av]|3gpp2?|webm|(?:x-)?matroska)\b/i.test(mediaType)
}

/**
 * The mean bit rate of a movie file, which is its length by its duration: a Matroska file, or one of ISO/IEC 14496-12,
 * section 8.2.2.
 *
 * Boxes are walked by their heads, so that a few short reads find the duration wherever it is. A file in fragments says
 * no duration of its own there, but may say one for all of them (8.8.2).
 *
 * @returns octets for each second; null when the file does not say
 */
export function movieRate(read: ReadAt, fileOctets: number): number | null {
  if (isMatroska(read(0, 4))) return matroskaRate(read, fileOctets)
  const movie = findBox(read, 'moov', { start: 0, end: fileOctets })
  const header = movie && findBox(read, 'mvhd', movie)
  if (!movie || !header) return null
  const time = readHeader(read, header.start)
  if (time === null || time.timescale === 0) return null
  const fragments = time.duration > 0 ? null : findBox(read, 'mvex', movie)
  const whole = fragments && findBox(read, 'mehd', fragments)
  const duration = whole ? (readDuration(read, whole.start, 4) ?? 0) : time.duration
  return duration > 0 ? (fileOctets * time.timescale) / duration : null
}

/** What a box holds: from its first octet to behind its last. */
type Box = { readonly start: number; readonly end: number }

/** A movie has a handful at its top, and one for each track below. */
const LIMIT_BOXES = 256

function findBox(read: ReadAt, wanted: string, { start, end }: Box): Box | null {
  let at = start
  for (let count = 0; count < LIMIT_BOXES && at + 8 <= end; count++) {
    const head = viewOf(read(at, 16))
    if (head.byteLength < 8) return null
    const type = String.fromCharCode(head.getUint8(4), head.getUint8(5), head.getUint8(6), head.getUint8(7))
    const short = head.getUint32(0)
    // 1: the length stands in 64 bits behind the type; 0: to the end of the file.
    if (short === 1 && head.byteLength < 16) return null
    const length = short === 0 ? end - at : short === 1 ? Number(head.getBigUint64(8)) : short
    const headOctets = short === 1 ? 16 : 8
    if (length < headOctets || at + length > end) return null
    if (type === wanted) return { start: at + headOctets, end: at + length }
    at += length
  }
  return null
}

/** A movie header: two times of 32 or 64 bits, the timescale, the duration. */
function readHeader(
  read: ReadAt,
  start: number,
): { readonly timescale: number; readonly duration: number } | null {
  const view = viewOf(read(start, 24))
  if (view.byteLength < 24) return null
  const at = view.getUint8(0) === 0 ? 12 : 20
  const duration = readDuration(read, start, at + 4)
  return duration === null ? null : { timescale: view.getUint32(at), duration }
}

/** A duration behind version and flags of a full box; 0 when it is not known. */
function readDuration(read: ReadAt, start: number, at: number): number | null {
  const view = viewOf(read(start, at + 8))
  if (view.byteLength < at + 4) return null
  if (view.getUint8(0) === 0) return view.getUint32(at) === UNKNOWN ? 0 : view.getUint32(at)
  if (view.byteLength < at + 8) return null
  const duration = view.getBigUint64(at)
  return duration > BigInt(Number.MAX_SAFE_INTEGER) ? 0 : Number(duration)
}

/** All bits set: nobody knows. */
const UNKNOWN = 0xffff_ffff

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.length)
}
