import { type OctetRange, parseRange } from '#http/wire/range.ts'

/** RFC 9110 §14.2: more parts than this are a sign of an attack; the whole is sent then. */
const LIMIT_RANGES = 16

/**
 * Decide which parts of the content a Range field asks for (RFC 9110 §14.2), several too.
 *
 * Ranges that overlap or touch become one (§15.3.7.2); what lies past the end is left out.
 *
 * @returns ranges in the order asked for; 'whole' for what is not understood or too much
 * @example parseRanges('bytes=0-1,4-5', 10) // [{ first: 0, last: 1 }, { first: 4, last: 5 }]
 */
export function parseRanges(value: string, lengthOctets: number): OctetRange[] | 'whole' | 'unsatisfiable' {
  const list = /^bytes=(.*)$/i.exec(value)?.[1]
  if (list === undefined) return 'whole'
  const members = list
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '')
  if (members.length === 0 || members.length > LIMIT_RANGES) return 'whole'
  const ranges: OctetRange[] = []
  for (const member of members) {
    const range = parseRange(`bytes=${member}`, lengthOctets)
    if (range === 'whole') return 'whole'
    if (range !== 'unsatisfiable') ranges.push(range)
  }
  return ranges.length === 0 ? 'unsatisfiable' : ranges.length === 1 ? ranges : joined(ranges)
}

function joined(ranges: readonly OctetRange[]): OctetRange[] {
  const sorted = [...ranges].sort((a, b) => a.first - b.first)
  const result: OctetRange[] = []
  let isJoined = false
  for (const range of sorted) {
    const before = result.at(-1)
    if (before !== undefined && range.first <= before.last + 1) {
      result[result.length - 1] = { first: before.first, last: Math.max(before.last, range.last) }
      isJoined = true
    } else {
      result.push(range)
    }
  }
  return isJoined ? result : [...ranges]
}
