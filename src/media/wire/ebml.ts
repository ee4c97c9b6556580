import { MediaFault } from './fault.ts'

/** An element of EBML (RFC 8794 §6): its identifier as written, and where its data lies. */
export type Element = {
  readonly id: number
  /** Offset of the data in the file. */
  readonly at: number
  /** Octets of the data; undefined where they are not known, as in a recording. */
  readonly octets: number | undefined
}

/** Most octets of an element's identifier and size together. */
export const HEADER_OCTETS = 12

/**
 * Read the header of an element.
 *
 * @param octets that begin with it
 * @param at offset of `octets` in the file
 * @returns undefined when they end within it
 */
export function elementAt(octets: Uint8Array, at: number): Element | undefined {
  const id = numberAt(octets, 0, 4)
  const size = id && numberAt(octets, id.octets, 8)
  if (!size) return undefined
  const isUnknown = size.value === 2 ** (7 * size.octets) - 1
  const data = at + id.octets + size.octets
  return { id: id.value + 2 ** (7 * id.octets), at: data, octets: isUnknown ? undefined : size.value }
}

/** A number of variable length (RFC 8794 §4): leading zeros tell the octets; the marker behind them is left out. */
function numberAt(
  octets: Uint8Array,
  at: number,
  most: number,
): { value: number; octets: number } | undefined {
  const first = octets[at]
  if (first === undefined) return undefined
  const count = Math.clz32(first) - 23
  if (count > most) throw new MediaFault(`A number of ${count} octets stands where EBML has ${most} at most`)
  if (at + count > octets.length) return undefined
  let value = first & (0xff >> count)
  for (let i = 1; i < count; i++) value = value * 256 + octets[at + i]!
  return { value, octets: count }
}

/**
 * The elements in `octets`, one behind the other; one that is cut short ends the list.
 *
 * @param at offset of `octets` in the file
 */
export function elementsIn(octets: Uint8Array, at: number): { element: Element; data: Uint8Array }[] {
  const found: { element: Element; data: Uint8Array }[] = []
  let from = 0
  while (from < octets.length) {
    const element = elementAt(octets.subarray(from), at + from)
    if (!element) break
    const begin = element.at - at
    const end = begin + (element.octets ?? octets.length)
    if (end > octets.length) break
    found.push({ element, data: octets.subarray(begin, end) })
    from = end
  }
  return found
}

/** An unsigned integer element (RFC 8794 §7.2), exact up to 2^53. */
export function unsigned(data: Uint8Array): number {
  let value = 0
  for (const octet of data.subarray(0, 8)) value = value * 256 + octet
  return value
}
