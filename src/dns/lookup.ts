import { findReady } from './ready.ts'
import { type RRset, synthesizeAlias } from './rrset.ts'
import { extendHash, HASH_START } from './table.ts'
import { RCODE, TYPE } from './wire/types.ts'
import { findRRset, type Node, type Zone, type Zones } from './zone.ts'

/** What the zones say about a name and a type. */
export type Lookup = {
  /** how it ended for the last name: the one asked for, or where its aliases lead */
  reason: Reason
  /** of the last name (RFC 6604 §2.1) */
  rcode: number
  /** AA, which speaks of the name asked for */
  authoritative: boolean
  /** the zone of the last name; undefined where that is not ours */
  zone: Zone | undefined
  /** what the last name has: its node, or the wildcard's in its place; undefined where nothing is */
  node: Node | undefined
  /** aliases in their order, then what was asked for; the caller's to change */
  readonly answers: RRset[]
  /** the SOA of a negative answer, or the NS of a referral */
  authority: RRset | undefined
  /** where in `zone.names.octets` the whole answer stands, in place of `node` and `answers`; else 0 */
  ready: number
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

/** Aliases followed in one answer; checked zones have no loops, and nobody needs longer chains. */
const ALIAS_LIMIT = 8

/** Which answers may be given as octets that are ready: they have no signatures. */
export type TakesReady = 'none' | 'of unsigned zones' | 'all'

/** For `lookup` to fill. */
export function createLookup(): Lookup {
  return {
    reason: 'refused: not our zone',
    rcode: RCODE.REFUSED,
    authoritative: false,
    zone: undefined,
    node: undefined,
    answers: [],
    authority: undefined,
    ready: 0,
  }
}

/**
 * Decide what to answer (RFC 1034 §4.3.2): wildcards by RFC 4592, aliases across all our zones.
 *
 * @param name the qname in uncompressed wire form and lower case; what stands behind its root label is not read
 * @param qtype a type, or ANY, which one RRset of the name answers (RFC 8482 §4.1)
 * @param found what was found; one that is used again and again spares allocations
 * @example lookup(zones, lowerName(name), TYPE.A).reason // 'answer: wildcard'
 */
export function lookup(
  zones: Zones,
  name: Uint8Array,
  qtype: number,
  found: Lookup = createLookup(),
  takes: TakesReady = 'none',
): Lookup {
  clear(found)
  const { answers } = found
  let current = name
  for (let aliases = 0; ; aliases++) {
    markLabels(current)
    const zone = findZone(zones, current, qtype)
    found.zone = zone
    if (zone === undefined) return leave(found)
    if (zone.plan.expired === true) return fail(found, 'servfail: no copy of the zone')
    const rrset = search(zone, current, qtype, found, aliases === 0 ? takes : 'none')
    const { reason } = found
    if (found.ready > 0) return found
    if (rrset === undefined) return deny(found, zone)
    if (reason === 'referral') return refer(found, rrset)

    const wasThere = answers.includes(rrset)
    if (!wasThere) answers.push(rrset)
    const alias = reason === 'answer: DNAME' ? synthesizeAlias(rrset, current.subarray(0, nameEnd())) : rrset
    if (alias === undefined) {
      found.reason = 'yxdomain: alias too long'
      found.rcode = RCODE.YXDOMAIN
      return found
    }
    if (alias !== rrset) answers.push(alias)
    if (alias.type !== TYPE.CNAME || qtype === TYPE.CNAME || qtype === TYPE.ANY) return found
    if (aliases === ALIAS_LIMIT || (wasThere && alias === rrset)) {
      found.reason = 'answer: alias without end'
      return found
    }
    current = alias.targets[0]!
  }
}

function clear(found: Lookup): void {
  found.rcode = RCODE.NOERROR
  found.authoritative = true
  found.node = undefined
  found.authority = undefined
  found.ready = 0
  // To set a length to 0 costs more than what it is for.
  while (found.answers.length > 0) found.answers.pop()
}

/** RFC 1034 §4.3.5: a copy that is too old is not answered from. */
function fail(found: Lookup, reason: Reason): Lookup {
  found.reason = reason
  found.rcode = RCODE.SERVFAIL
  found.authoritative = false
  found.node = undefined
  return found
}

/** A name outside our zones: none of our business, unless one of our aliases led there. */
function leave(found: Lookup): Lookup {
  found.node = undefined
  if (found.answers.length > 0) {
    found.reason = 'answer: alias to elsewhere'
    return found
  }
  found.reason = 'refused: not our zone'
  found.rcode = RCODE.REFUSED
  found.authoritative = false
  return found
}

/** NODATA or NXDOMAIN (RFC 2308 §2). */
function deny(found: Lookup, zone: Zone): Lookup {
  if (found.reason === 'servfail: target of ALIAS not found') {
    while (found.answers.length > 0) found.answers.pop()
    return fail(found, found.reason)
  }
  if (found.reason === 'nxdomain') found.rcode = RCODE.NXDOMAIN
  found.authority = zone.negative
  return found
}

function refer(found: Lookup, authority: RRset): Lookup {
  found.authoritative = found.answers.length > 0
  found.authority = authority
  return found
}

/** Where the labels of the name at hand begin; the last is the root's. At most 127 labels fit into 255 octets. */
const starts = new Uint8Array(128)
/** Hashes of the name from each label on, where `hashFrom` was asked for them. */
const sums = new Int32Array(128)
/** labels of the name at hand without the root, and the first whose hash is known */
let labels = 0
let hashed = 0

/** Take a name at hand. */
function markLabels(name: Uint8Array): void {
  let at = 0
  for (labels = 0; name[at] !== 0; labels++) {
    starts[labels] = at
    at += name[at]! + 1
  }
  starts[labels] = at
  hashed = labels
  sums[labels] = extendHash(HASH_START, name, at, at + 1)
}

/** The hash of the name at hand from a label on: made of those of its ancestors, as far as they are needed. */
function hashFrom(name: Uint8Array, label: number): number {
  for (; hashed > label; hashed--)
    sums[hashed - 1] = extendHash(sums[hashed]!, name, starts[hashed - 1]!, starts[hashed]!)
  return sums[label]!
}

function nameEnd(): number {
  return starts[labels]! + 1
}

/** The zone with the longest apex that ends the name. */
function findZone({ apexes, depth }: Zones, name: Uint8Array, qtype: number): Zone | undefined {
  let child: Zone | undefined
  for (let label = Math.max(0, labels - depth); label <= labels; label++) {
    const at = apexes.seek(name, starts[label]!, nameEnd(), hashFrom(name, label))
    if (at === 0) continue
    // RFC 4035 §3.1.4.1: DS stands in the zone above the cut; where we do not have it, the child says NODATA.
    if (qtype !== TYPE.DS || label > 0) return apexes.valueAt(at)
    child = apexes.valueAt(at)
  }
  return child
}

/** Search one zone that the name lies in (RFC 1034 §4.3.2 step 3): the RRset to answer or to refer to, or what is ready. */
function search(
  { names, depth, signer }: Zone,
  name: Uint8Array,
  qtype: number,
  found: Lookup,
  takes: TakesReady,
): RRset | undefined {
  let label = Math.max(0, labels - depth)
  let at: number
  // The closest encloser (RFC 4592 §3.3.1), or the name itself. The apex exists, so this ends.
  while ((at = names.seek(name, starts[label]!, nameEnd(), hashFrom(name, label))) === 0) label++
  const exists = label === 0
  found.reason = 'answer'
  if (exists && takes !== 'none' && (takes === 'all' || signer === undefined)) {
    found.ready = findReady(names.octets, names.noteAt(at), qtype)
    if (found.ready > 0) return undefined
  }
  const node = names.valueAt(at)
  const source = exists ? node : node.wildcard
  const cut = node.cut ?? (exists ? undefined : findRRset(node, TYPE.DNAME))
  const isParentSide = qtype === TYPE.DS && exists && cut?.ownerLength === nameEnd()
  if (cut !== undefined && !isParentSide) {
    found.node = node
    found.reason = cut.type === TYPE.DNAME ? 'answer: DNAME' : 'referral'
    return cut
  }
  found.node = source
  const rrset = source && select(source, qtype)
  found.reason = conclude(source, rrset, qtype, exists)
  return rrset
}

function conclude(
  source: Node | undefined,
  rrset: RRset | undefined,
  qtype: number,
  exists: boolean,
): Ending {
  if (source === undefined) return 'nxdomain'
  if (rrset !== undefined) return exists ? 'answer' : 'answer: wildcard'
  if (source.isUnresolved && (qtype === TYPE.A || qtype === TYPE.AAAA))
    return 'servfail: target of ALIAS not found'
  if (!exists) return 'nodata: wildcard'
  return source.rrsets.length === 0 ? 'nodata: empty non-terminal' : 'nodata'
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
