import { type RRset, synthesizeAlias } from './rrset.ts'
import { RCODE, TYPE } from './wire/types.ts'
import { findRRset, type Node, type Zone, type Zones } from './zone.ts'

/** What the zones say about a name and a type. */
export type Lookup = {
  /** how it ended for the last name: the one asked for, or where its aliases lead */
  readonly reason: Reason
  /** of the last name (RFC 6604 §2.1) */
  readonly rcode: number
  /** AA, which speaks of the name asked for */
  readonly authoritative: boolean
  /** the zone of the last name; undefined where that is not ours */
  readonly zone: Zone | undefined
  /** what the last name has: its node, or the wildcard's in its place; undefined where nothing is */
  readonly node: Node | undefined
  /** aliases in their order, then what was asked for; the caller's to change */
  readonly answers: RRset[]
  /** the SOA of a negative answer, or the NS of a referral */
  readonly authority: RRset | undefined
}

export type Reason =
  | Ending
  | 'answer: alias to elsewhere'
  | 'answer: alias without end'
  | 'refused: not our zone'
  | 'servfail: no copy of the zone'

/** How the search in one zone ends. */
type Ending =
  | 'answer'
  | 'answer: wildcard'
  | 'answer: DNAME'
  | 'nodata'
  | 'nodata: wildcard'
  | 'nodata: empty non-terminal'
  | 'nxdomain'
  | 'referral'
  | 'yxdomain: alias too long'
  | 'servfail: target of ALIAS not found'

type Found = {
  readonly reason: Ending
  readonly rrset: RRset | undefined
  readonly node: Node | undefined
}

/** Aliases followed in one answer; checked zones have no loops, and nobody needs longer chains. */
const ALIAS_LIMIT = 8

/**
 * Decide what to answer (RFC 1034 §4.3.2): wildcards by RFC 4592, aliases across all our zones.
 *
 * @param name the qname in uncompressed wire form and lower case; what stands behind its root label is not read
 * @param qtype a type, or ANY, which one RRset of the name answers (RFC 8482 §4.1)
 * @example lookup(zones, lowerName(name), TYPE.A).reason // 'answer: wildcard'
 */
export function lookup(zones: Zones, name: Uint8Array, qtype: number): Lookup {
  const answers: RRset[] = []
  let current = name
  for (let aliases = 0; ; aliases++) {
    const labels = markLabels(current)
    const zone = findZone(zones, current, labels, qtype)
    if (zone === undefined) return leave(answers)
    if (zone.plan.expired === true)
      return { ...end('servfail: no copy of the zone', zone, answers), ...FAILED }
    const found = search(zone, current, labels, qtype)
    const { reason, rrset } = found
    if (rrset === undefined) return deny(zone, found, answers)
    if (reason === 'referral') return refer(zone, rrset, found, answers)

    const wasThere = answers.includes(rrset)
    if (!wasThere) answers.push(rrset)
    const alias =
      reason === 'answer: DNAME' ? synthesizeAlias(rrset, current.subarray(0, nameEnd(labels))) : rrset
    if (alias === undefined)
      return { ...end('yxdomain: alias too long', zone, answers, found.node), rcode: RCODE.YXDOMAIN }
    if (alias !== rrset) answers.push(alias)
    if (alias.type !== TYPE.CNAME || qtype === TYPE.CNAME || qtype === TYPE.ANY)
      return end(reason, zone, answers, found.node)
    if (aliases === ALIAS_LIMIT || (wasThere && alias === rrset)) {
      return end('answer: alias without end', zone, answers, found.node)
    }
    current = alias.targets[0]!
  }
}

/** RFC 1034 §4.3.5: a copy that is too old is not answered from. */
const FAILED = { rcode: RCODE.SERVFAIL, authoritative: false } as const

function end(reason: Reason, zone: Zone | undefined, answers: RRset[], node?: Node): Lookup {
  const rcode = RCODE.NOERROR
  return { reason, rcode, authoritative: true, zone, node, answers, authority: undefined }
}

/** A name outside our zones: none of our business, unless one of our aliases led there. */
function leave(answers: RRset[]): Lookup {
  if (answers.length > 0) return end('answer: alias to elsewhere', undefined, answers, undefined)
  return {
    reason: 'refused: not our zone',
    rcode: RCODE.REFUSED,
    authoritative: false,
    zone: undefined,
    node: undefined,
    answers,
    authority: undefined,
  }
}

/** NODATA or NXDOMAIN (RFC 2308 §2). */
function deny(zone: Zone, { reason, node }: Found, answers: RRset[]): Lookup {
  if (reason === 'servfail: target of ALIAS not found') return { ...end(reason, zone, []), ...FAILED }
  const rcode = reason === 'nxdomain' ? RCODE.NXDOMAIN : RCODE.NOERROR
  return { reason, rcode, authoritative: true, zone, node, answers, authority: zone.negative }
}

function refer(zone: Zone, authority: RRset, { node }: Found, answers: RRset[]): Lookup {
  const authoritative = answers.length > 0
  return { reason: 'referral', rcode: RCODE.NOERROR, authoritative, zone, node, answers, authority }
}

/** Where the labels of the name at hand begin; the last is the root's. At most 127 labels fit into 255 octets. */
const starts = new Uint8Array(128)

/** Fill `starts`; the number of labels without the root. */
function markLabels(name: Uint8Array): number {
  let count = 0
  for (let at = 0; ; at += name[at]! + 1) {
    starts[count] = at
    if (name[at] === 0) return count
    count++
  }
}

function nameEnd(labels: number): number {
  return starts[labels]! + 1
}

/** The zone with the longest apex that ends the name. */
function findZone(zones: Zones, name: Uint8Array, labels: number, qtype: number): Zone | undefined {
  let child: Zone | undefined
  for (let label = Math.max(0, labels - zones.depth); label <= labels; label++) {
    const zone = zones.apexes.find(name, starts[label]!, nameEnd(labels))
    if (zone === undefined) continue
    // RFC 4035 §3.1.4.1: DS stands in the zone above the cut; where we do not have it, the child says NODATA.
    if (qtype !== TYPE.DS || label > 0) return zone
    child = zone
  }
  return child
}

/** Search one zone that the name lies in (RFC 1034 §4.3.2 step 3). */
function search(zone: Zone, name: Uint8Array, labels: number, qtype: number): Found {
  let label = Math.max(0, labels - zone.depth)
  let node: Node | undefined
  // The closest encloser (RFC 4592 §3.3.1), or the name itself. The apex exists, so this ends.
  while ((node = zone.names.find(name, starts[label]!, nameEnd(labels))) === undefined) label++
  const exists = label === 0

  const cut = node.cut ?? (exists ? undefined : findRRset(node, TYPE.DNAME))
  if (cut?.type === TYPE.DNAME) return { reason: 'answer: DNAME', rrset: cut, node }
  const isParentSide = qtype === TYPE.DS && exists && cut?.ownerLength === nameEnd(labels)
  if (cut !== undefined && !isParentSide) return { reason: 'referral', rrset: cut, node }

  const source = exists ? node : node.wildcard
  if (source === undefined) return { reason: 'nxdomain', rrset: undefined, node: undefined }
  const rrset = select(source, qtype)
  if (rrset !== undefined) return { reason: exists ? 'answer' : 'answer: wildcard', rrset, node: source }
  if (source.isUnresolved && (qtype === TYPE.A || qtype === TYPE.AAAA))
    return { reason: 'servfail: target of ALIAS not found', rrset, node: source }
  if (!exists) return { reason: 'nodata: wildcard', rrset, node: source }
  return { reason: node.rrsets.length === 0 ? 'nodata: empty non-terminal' : 'nodata', rrset, node }
}

/** The RRset of that type, else the alias; for ANY the alias, else any one RRset (RFC 8482 §4.1, §4.2). */
function select(node: Node, qtype: number): RRset | undefined {
  let alias: RRset | undefined
  for (const rrset of node.rrsets) {
    if (rrset.type === qtype) return rrset
    if (rrset.type === TYPE.CNAME) alias = rrset
  }
  return alias ?? (qtype === TYPE.ANY ? node.rrsets[0] : undefined)
}
