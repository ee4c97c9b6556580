import { compareNames, isWithin, lowerName, parseName, printName } from './name.ts'
import { TYPE, typeNumber } from './types.ts'

export type PrintedZone = {
  /** absolute name */
  readonly apex: string
  readonly soa: { readonly ttl: number; readonly data: string }
  /** all but the SOA; owners absolute and within the apex */
  readonly rrsets: readonly PrintedRRset[]
}

export type PrintedRRset = {
  readonly owner: string
  readonly type: string
  /** seconds */
  readonly ttl: number
  /** rdata in presentation form with absolute names, one string a record */
  readonly data: readonly string[]
}

/**
 * Write a zone as a master file (RFC 1035 §5).
 *
 * The SOA first, then owners in canonical order (RFC 4034 §6.1) and types by number, so that equal zones give equal
 * files. Owners are relative to the apex; a TTL stands only where it is not that of $TTL.
 *
 * @throws {RangeError} when an owner is no name within the apex: a bug in the caller
 */
export function printMasterFile({ apex, soa, rrsets }: PrintedZone): string {
  const origin = readOwner(apex)
  const soaRRset = { owner: apex, type: 'SOA', ttl: soa.ttl, data: [soa.data] }
  const sorted = [soaRRset, ...rrsets]
    .map((rrset) => ({ ...rrset, name: readOwner(rrset.owner), number: typeNumber(rrset.type) ?? 0 }))
    .sort((a, b) => compareNames(a.name, b.name) || rank(a.number) - rank(b.number))
  const defaultTtl = mostCommonTtl(rrsets) ?? soa.ttl
  const rows = sorted.flatMap((rrset) => {
    const owner = relativeOwner(rrset.name, origin)
    const ttl = rrset.ttl === defaultTtl ? '' : String(rrset.ttl)
    return rrset.data.map((data) => [owner, ttl, rrset.type, data] as const)
  })
  const [ownerWidth, ttlWidth, typeWidth] = [0, 1, 2].map((column) => widthOf(rows, column)) as [
    number,
    number,
    number,
  ]
  const lines = rows.map(
    ([owner, ttl, type, data]) =>
      `${owner.padEnd(ownerWidth)} ${ttl.padStart(ttlWidth)} IN ${type.padEnd(typeWidth)} ${data}`,
  )
  return [`$ORIGIN ${printName(origin)}`, `$TTL ${defaultTtl}`, ...lines, ''].join('\n')
}

/** One long owner must not push every line apart. */
const WIDTH_LIMIT = 32

function widthOf(rows: readonly (readonly string[])[], column: number): number {
  return rows.reduce((width, row) => Math.max(width, Math.min(row[column]!.length, WIDTH_LIMIT)), 0)
}

function readOwner(text: string): Uint8Array {
  const name = parseName(text)
  if (typeof name === 'string') throw new RangeError(`The owner ${name}`)
  return lowerName(name)
}

/** SOA, NS, then by number. */
function rank(type: number): number {
  return type === TYPE.SOA ? -2 : type === TYPE.NS ? -1 : type
}

function relativeOwner(name: Uint8Array, origin: Uint8Array): string {
  if (!isWithin(name, origin)) throw new RangeError(`${printName(name)} is not within ${printName(origin)}`)
  if (name.length === origin.length) return '@'
  const text = printName(name)
  return text.slice(0, text.length - (origin.length === 1 ? 1 : printName(origin).length + 1))
}

function mostCommonTtl(rrsets: readonly PrintedRRset[]): number | undefined {
  const counts = new Map<number, number>()
  for (const { ttl } of rrsets) counts.set(ttl, (counts.get(ttl) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0]
}
