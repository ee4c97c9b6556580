/** Positions of the first and the last octet, both included. */
export type OctetRange = { readonly first: number; readonly last: number }

/** Which parts of the content a Range field asks for, in its order and without overlap beyond the whole. */
export type RangeChoice = readonly [OctetRange, ...OctetRange[]] | 'whole' | 'unsatisfiable'

/**
 * Decide which parts of the content a Range field asks for (RFC 9110 §14.1.2, §14.2).
 *
 * Sets of many ranges, and such that ask for more octets than there are, are answered with the whole: §14.2 permits it,
 * and they cost the server much and serve hardly a client.
 *
 * @param value of the Range field
 * @param lengthOctets of the whole content
 * @returns 'whole' also for other units and for what is malformed: a Range that is not understood is ignored
 * @example parseRanges('bytes=0-9, -500', 10000) // [{ first: 0, last: 9 }, { first: 9500, last: 9999 }]
 */
export function parseRanges(value: string, lengthOctets: number): RangeChoice {
  const members = /^bytes=(.*)$/i.exec(value)?.[1]?.split(',', LIMIT_MEMBERS + 1) ?? []
  if (members.length > LIMIT_MEMBERS) return 'whole'
  const ranges: OctetRange[] = []
  let isAsked = false
  for (const member of members) {
    // RFC 9110 §5.6.1: a list may have empty members.
    if (/^[ \t]*$/.test(member)) continue
    isAsked = true
    const range = parseMember(member, lengthOctets)
    if (range === 'whole') return 'whole'
    if (range !== 'unsatisfiable') ranges.push(range)
  }
  const [first, ...more] = ranges
  if (first === undefined) return isAsked ? 'unsatisfiable' : 'whole'
  if (more.length > 0 && totalOctets(ranges) > lengthOctets) return 'whole'
  return [first, ...more]
}

/** As many as a reader of a paged document asks for at once; each costs a part head. */
const LIMIT_MEMBERS = 64

function parseMember(member: string, lengthOctets: number): OctetRange | 'whole' | 'unsatisfiable' {
  const match = /^[ \t]*(\d*)-(\d*)[ \t]*$/.exec(member)
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

/** How many octets some ranges hold together. */
export function totalOctets(ranges: readonly OctetRange[]): number {
  return ranges.reduce((total, { first, last }) => total + last - first + 1, 0)
}

/** The Content-Range of a part, or of no part with 416 (RFC 9110 §14.4). */
export function formatContentRange(range: OctetRange | null, lengthOctets: number): string {
  return range === null ? `bytes */${lengthOctets}` : `bytes ${range.first}-${range.last}/${lengthOctets}`
}
