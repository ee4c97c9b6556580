/** Positions of the first and the last octet, both included. */
export type OctetRange = { readonly first: number; readonly last: number }

/**
 * Decide which part of the content a Range field asks for (RFC 9110 §14.1.2, §14.2).
 *
 * A single range of octets is served; several are answered with the whole, as §14.2 permits: they cost the server
 * much and hardly a client needs them.
 *
 * @param value of the Range field
 * @param lengthOctets of the whole content
 * @returns 'whole' also for other units and for what is malformed: a Range that is not understood is ignored
 * @example parseRange('bytes=-500', 10000) // { first: 9500, last: 9999 }
 */
export function parseRange(value: string, lengthOctets: number): OctetRange | 'whole' | 'unsatisfiable' {
  const match = SINGLE_RANGE.exec(value)
  if (match === null) return 'whole'
  const [, first, last] = match
  if (first === '') {
    if (last === '') return 'whole'
    const suffix = Number(last)
    if (suffix === 0) return 'unsatisfiable'
    // The last octets of nothing are the whole of it, which Content-Range cannot say.
    if (lengthOctets === 0) return 'whole'
    return { first: Math.max(0, lengthOctets - suffix), last: lengthOctets - 1 }
  }
  if (last !== '' && Number(last) < Number(first)) return 'whole'
  if (Number(first) >= lengthOctets) return 'unsatisfiable'
  return {
    first: Number(first),
    last: last === '' ? lengthOctets - 1 : Math.min(Number(last), lengthOctets - 1),
  }
}

/** RFC 9110 §14.1: units are compared without case. A list may have empty members (RFC 9110 §5.6.1). */
const SINGLE_RANGE = /^bytes=[ \t,]*(\d*)-(\d*)[ \t,]*$/i

/** The Content-Range of a part, or of no part with 416 (RFC 9110 §14.4). */
export function formatContentRange(range: OctetRange | null, lengthOctets: number): string {
  return range === null ? `bytes */${lengthOctets}` : `bytes ${range.first}-${range.last}/${lengthOctets}`
}
