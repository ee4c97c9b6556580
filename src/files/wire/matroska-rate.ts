import { type Element, elementAt, elementsIn, HEADER_OCTETS } from '#media/wire/ebml.ts'
import { ids, timestampScale } from '#media/wire/matroska-index.ts'

/** Gives octets of a file; fewer at its end. */
export type ReadAt = (position: number, lengthOctets: number) => Uint8Array

/**
 * The mean bit rate of a Matroska or WebM file, which is its length by the duration that its Info says (RFC 9559
 * §5.1.2).
 *
 * @returns octets for each second; null when the file does not say, as a recording under way does not
 */
export function matroskaRate(read: ReadAt, fileOctets: number): number | null {
  try {
    const segment = find(read, ids.segment, 0, fileOctets)
    const info = segment && find(read, ids.info, segment.at, fileOctets)
    if (!info || info.octets === undefined || info.octets > LIMIT_INFO_OCTETS) return null
    const data = read(info.at, info.octets)
    const duration = elementsIn(data, info.at).find(({ element }) => element.id === DURATION)
    const seconds = duration === undefined ? 0 : (float(duration.data) * timestampScale(data)) / 1e9
    return seconds > 0 && seconds < Number.POSITIVE_INFINITY ? fileOctets / seconds : null
  } catch {
    // What stands there is no EBML.
    return null
  }
}

const DURATION = 0x4489
/** Info holds a title, names of programs, identifiers. */
const LIMIT_INFO_OCTETS = 65_536
/** It stands before the clusters: what comes before it is little. */
const LIMIT_ELEMENTS = 64

function find(read: ReadAt, wanted: number, start: number, end: number): Element | null {
  let at = start
  for (let count = 0; count < LIMIT_ELEMENTS && at < end; count++) {
    const element = elementAt(read(at, HEADER_OCTETS), at)
    if (element === undefined || element.id === wanted) return element ?? null
    if (element.octets === undefined || element.id === ids.cluster) return null
    at = element.at + element.octets
  }
  return null
}

/** A float element of 32 or 64 bits (RFC 8794 §7.3). */
function float(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  if (data.length === 4) return view.getFloat32(0)
  return data.length === 8 ? view.getFloat64(0) : 0
}
