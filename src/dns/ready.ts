import type { RRset } from './rrset.ts'
import { TYPE } from './wire/types.ts'

/**
 * What a name answers to everyone, as octets behind the name itself: of a zone with a million names nothing else has to
 * be read. One octet that counts them, then for each type: type (2), records (1), octets (2), the records.
 */
const HEAD = 1
/** Octets before the records of one type. */
export const SET_HEAD = 5

/** What is known of a name: a `Node` of a zone. */
type Source = {
  readonly rrsets: readonly RRset[]
  readonly cut: RRset | undefined
  readonly isUnresolved: boolean
}

/** Longer ones take so long to be copied that it does not matter where they stand. */
export const READY_LIMITS = { octets: 128, records: 255 } as const

/** Octets that `writeReady` will write. */
export function readySize(node: Source): number {
  let size = HEAD
  if (isSettled(node))
    for (const rrset of node.rrsets) if (isReady(rrset)) size += SET_HEAD + rrset.wire.length
  return size
}

/** Write the RRsets that are the whole answer to whoever asks for them; returns the end. */
export function writeReady(node: Source, into: Uint8Array, at: number): number {
  let end = at + HEAD
  if (!isSettled(node)) return end
  for (const rrset of node.rrsets) {
    if (!isReady(rrset)) continue
    const { type, count, wire } = rrset
    into[at]!++
    into[end] = type >> 8
    into[end + 1] = type & 0xff
    into[end + 2] = count
    into[end + 3] = wire.length >> 8
    into[end + 4] = wire.length & 0xff
    end += SET_HEAD
    for (let i = 0; i < wire.length; i++) into[end + i] = wire[i]!
    end += wire.length
  }
  return end
}

/** Where in a note the RRset of a type stands, for `Response.addReady`; 0 when it has none. */
export function findReady(octets: Uint8Array, note: number, type: number): number {
  let at = note + HEAD
  for (let left = octets[note]!; left > 0; left--) {
    if (octets[at] === type >> 8 && octets[at + 1] === (type & 0xff)) return at + 2
    at += SET_HEAD + ((octets[at + 3]! << 8) | octets[at + 4]!)
  }
  return 0
}

/** Not below a cut, not an alias, and no addresses that are found out while it is served. */
function isSettled({ cut, isUnresolved, rrsets }: Source): boolean {
  return cut === undefined && !isUnresolved && !rrsets.some(({ type }) => type === TYPE.CNAME)
}

/** Nothing in it points to other names of the message, nobody gets another choice, and nothing goes with it. */
function isReady({ wire, count, apexes, members, additional, type }: RRset): boolean {
  if (wire.length > READY_LIMITS.octets || count > READY_LIMITS.records) return false
  // DS stands on the other side of a cut.
  return apexes.length === 0 && members === undefined && additional.length === 0 && type !== TYPE.DS
}
