import { type Presigned, readPresigned } from './dnssec/presigned.ts'
import { createSpans, type Spans } from './dnssec/spans.ts'
import type { RRsetPlan, ZonePlan } from './plan.ts'
import { readySize, writeReady } from './ready.ts'
import {
  type Additional,
  prepareRRset,
  type RRset,
  type RRsetSource,
  type SharedOctets,
  type Signer,
  wireName,
} from './rrset.ts'
import { NameTable } from './table.ts'
import { countLabels, isWithin } from './wire/name.ts'
import { TYPE, typeNumber } from './wire/types.ts'

/** Seconds; pools answer for no longer. */
const BRIEF_TTL = 30

const ADDRESSES: ReadonlySet<number> = new Set([TYPE.A, TYPE.AAAA])

/** Which RRsets of a target go into the additional section (RFC 1035 §3.3, RFC 2782, RFC 9460 §4.1). */
const ADDITIONAL_TYPES: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  [TYPE.NS, ADDRESSES],
  [TYPE.MX, ADDRESSES],
  [TYPE.SRV, ADDRESSES],
  [TYPE.SVCB, new Set([TYPE.A, TYPE.AAAA, TYPE.SVCB])],
  [TYPE.HTTPS, new Set([TYPE.A, TYPE.AAAA, TYPE.HTTPS])],
])

/** A zone as it is served. Find names with `names`; every ancestor of an owner up to the apex is there too. */
export type Zone = {
  readonly plan: ZonePlan
  readonly serial: number
  /** wire form, lower case */
  readonly apex: Uint8Array
  readonly names: NameTable<Node>
  /** the most labels that a name of the zone has */
  readonly depth: number
  /** the SOA for negative answers, with their TTL (RFC 2308 §5) */
  readonly negative: RRset
  /** undefined where the zone is not signed */
  readonly signer: Signer | undefined
  /** proves that names are not there, where `signer` does not */
  readonly spans: Spans | undefined
  /** the same for what may change within a minute: a pool without members that are up */
  readonly briefNegative: RRset
}

/** A name that exists: it owns records, or it is an empty non-terminal (RFC 4592 §2.2.2). */
export type Node = {
  readonly parent: Node | undefined
  rrsets: RRset[]
  /** the child `*` (RFC 4592 §2.1.1) */
  wildcard: Node | undefined
  /** what answers in place of the node: the NS of a delegation at it or above, or a DNAME above; the highest */
  cut: RRset | undefined
  /** it has an ALIAS, whose target was never found */
  isUnresolved: boolean
}

/** All zones of the server. */
export type Zones = {
  readonly list: readonly Zone[]
  readonly apexes: NameTable<Zone>
  /** the most labels that an apex has */
  readonly depth: number
}

/** Join zones for the search by longest match. The apexes differ: the plan was checked. */
export function createZones(list: readonly Zone[]): Zones {
  const apexes = new NameTable<Zone>(list.length)
  for (const zone of list) apexes.add(zone.apex, 0, zone.apex.length, zone)
  return { list, apexes, depth: list.reduce((most, zone) => Math.max(most, countLabels(zone.apex)), 0) }
}

export type CompileOptions = {
  /** who signs a zone; absent: who signed the previous one */
  readonly signerOf?: (plan: ZonePlan) => Signer | undefined
  /** serves a zone that need not be compiled */
  readonly open?: (plan: ZonePlan, serial: number) => Zone | undefined
}

/**
 * Compile what changed and keep the rest.
 *
 * @param serials serial of each zone by its id; 1 where there is none
 * @param previous zones that are served now; those with equal id, key and serial are taken over as they are
 */
export function compileZones(
  plans: readonly ZonePlan[],
  serials: ReadonlyMap<string, number>,
  previous?: Zones,
  { signerOf, open }: CompileOptions = {},
): Zones {
  const running = new Map(previous?.list.map((zone) => [zone.plan.id, zone]))
  return createZones(
    plans.map((plan) => {
      const serial = serials.get(plan.id) ?? 1
      const zone = running.get(plan.id)
      if (zone?.plan.key === plan.key && zone.serial === serial) return zone
      // Signatures that came with a zone are those of one version.
      const before = zone?.signer?.chain === undefined ? zone?.signer : undefined
      const signer = signerOf === undefined ? before : signerOf(plan)
      const opened = signer === undefined ? open?.(plan, serial) : undefined
      if (opened !== undefined) return opened
      const compiled = compileZone(plan, serial, signer)
      if (zone !== undefined && signer !== undefined && zone.signer === signer) keepSignatures(zone, compiled)
      return compiled
    }),
  )
}

/** What a change of the zone left as it was keeps its signature. */
function keepSignatures(from: Zone, to: Zone): void {
  if (from.spans !== undefined) to.spans?.keep(from.spans)
  for (const { rrsets } of from.names.values) {
    for (const { signature, plan, type, wire } of rrsets) {
      if (signature === undefined) continue
      const owner = wireName(plan.owner)
      const node = to.names.find(owner, 0, owner.length)
      const same = node && findRRset(node, type)
      if (same !== undefined && Buffer.compare(same.wire, wire) === 0) same.signature = signature
    }
  }
}

/**
 * Compile a checked zone to what `answer()` needs: names by hash, RRsets as octets.
 *
 * @param serial of the SOA, 0 to 2³² − 1
 * @throws {Error} when a name, a type or rdata cannot be read: a bug, the check of the plan came first
 */
export function compileZone(plan: ZonePlan, serial: number, signer?: Signer): Zone {
  const apex = wireName(plan.apex)
  const names = new NameTable<Node>(plan.rrsets.length + 1)
  const soa = soaPlan(plan, serial)
  const shared: SharedOctets = new Map()
  addRRset(names, { plan: soa, type: TYPE.SOA, owner: apex, apex }, shared)
  let depth = countLabels(apex)
  const presigned = signer === undefined ? readPresigned(plan) : undefined
  for (const rrset of presigned?.rrsets ?? plan.rrsets) {
    const owner = wireName(rrset.owner)
    addRRset(names, { plan: rrset, type: knownType(rrset), owner, apex }, shared)
    depth = Math.max(depth, countLabels(owner))
  }
  for (const alias of plan.aliases ?? []) {
    const owner = wireName(alias.owner)
    ensureNode(names, owner, 0, owner.length - apex.length).isUnresolved = true
    depth = Math.max(depth, countLabels(owner))
  }
  for (const node of names.values) node.cut = highestCut(node)
  linkAdditional(names, apex)
  names.annotate(readySize, writeReady)
  const negatives = negativesOf(plan, soa, apex)
  const zone = { plan, serial, apex, names, depth, ...negatives, signer, spans: undefined }
  if (presigned !== undefined) return { ...zone, signer: takeSignatures(zone, presigned) }
  if (signer === undefined) return zone
  for (const negative of Object.values(negatives)) negative.signer = signer
  for (const node of names.values) assignSigner(node, signer)
  return plan.dnssec?.denial === 'nsec' ? { ...zone, spans: createSpans(zone, signer) } : zone
}

/** RFC 2308 §5: the lesser of the SOA's own TTL and its minimum. */
export function negativesOf(
  { soa: { ttl, minimum } }: ZonePlan,
  soa: RRsetPlan,
  apex: Uint8Array,
): Pick<Zone, 'negative' | 'briefNegative'> {
  const negativeFor = (seconds: number): RRset =>
    prepareRRset({
      plan: { ...soa, ttl: Math.min(ttl, minimum, seconds) },
      type: TYPE.SOA,
      owner: apex,
      apex,
    })
  return { negative: negativeFor(ttl), briefNegative: negativeFor(BRIEF_TTL) }
}

function takeSignatures({ names, negative, briefNegative }: Zone, presigned: Presigned): Signer {
  const rrsets = [...names.values.flatMap((node) => node.rrsets), negative, briefNegative]
  return presigned.sign(rrsets, (name) => names.find(name, 0, name.length) !== undefined)
}

/** RFC 4035 §2.2: what the zone is authoritative for is signed; NS at a cut and glue are not, DS there is. */
export function assignSigner(node: Node, signer: Signer): void {
  for (const rrset of node.rrsets) {
    const isOwnDs = rrset.type === TYPE.DS && node.cut !== undefined && node.rrsets.includes(node.cut)
    if (node.cut !== undefined && !isOwnDs) continue
    rrset.signer = signer
    for (const member of rrset.members ?? []) member.signer = signer
  }
}

/** The SOA of a zone, once its serial is known. */
export function soaPlan({ apex, soa, from }: ZonePlan, serial: number): RRsetPlan {
  const { mname, rname, refresh, retry, expire, minimum, ttl } = soa
  const data = [mname, rname, serial, refresh, retry, expire, minimum].join(' ')
  return { owner: apex, type: 'SOA', ttl, data: [data], from, why: 'default' }
}

function knownType(rrset: RRsetPlan): number {
  const type = typeNumber(rrset.type)
  if (type === undefined) throw new Error(`${rrset.owner} has records of the unknown type ${rrset.type}`)
  return type
}

function addRRset(names: NameTable<Node>, source: RRsetSource, shared: SharedOctets): void {
  const { owner, type, apex } = source
  const node = ensureNode(names, owner, 0, owner.length - apex.length)
  if (!hasEffect(owner, type)) return
  const rrset = prepareRRset(source, shared)
  // An array that grows by push has room for 16 more: 130 octets in each of a million names.
  node.rrsets = node.rrsets.length === 0 ? [rrset] : node.rrsets.concat(rrset)
}

/** RFC 4592 §4.2, §4.4: no meaning was given to NS and DNAME at a wildcard. @param owner in wire form */
export function hasEffect(owner: Uint8Array, type: number): boolean {
  return !isWildcard(owner, 0) || (type !== TYPE.NS && type !== TYPE.DNAME)
}

const NONE: RRset[] = []

/** Find or add the node of the name that begins at `start`, and its ancestors up to the apex, at `apexAt`. */
function ensureNode(names: NameTable<Node>, name: Uint8Array, start: number, apexAt: number): Node {
  const known = names.find(name, start, name.length)
  if (known !== undefined) return known
  const parent = start === apexAt ? undefined : ensureNode(names, name, start + name[start]! + 1, apexAt)
  const node: Node = { parent, rrsets: NONE, wildcard: undefined, cut: undefined, isUnresolved: false }
  if (parent !== undefined && isWildcard(name, start)) parent.wildcard = node
  names.add(name, start, name.length, node)
  return node
}

function isWildcard(name: Uint8Array, start: number): boolean {
  const ASTERISK = 0x2a
  return name[start] === 1 && name[start + 1] === ASTERISK
}

/** The cut nearest to the apex: what lies below it, further cuts too, is not ours to answer (RFC 1034 §4.2.1). */
export function highestCut(node: Node): RRset | undefined {
  let cut: RRset | undefined
  for (let at: Node | undefined = node; at !== undefined; at = at.parent) {
    const dname = at === node ? undefined : findRRset(at, TYPE.DNAME)
    const delegation = at.parent === undefined ? undefined : findRRset(at, TYPE.NS)
    cut = dname ?? delegation ?? cut
  }
  return cut
}

/** The RRset of a type at a node. */
export function findRRset(node: Node, type: number): RRset | undefined {
  for (const rrset of node.rrsets) if (rrset.type === type) return rrset
  return undefined
}

function linkAdditional(names: NameTable<Node>, apex: Uint8Array): void {
  for (const node of names.values) {
    for (const rrset of node.rrsets) {
      if (rrset.targets.length > 0) rrset.additional = additionalOf(rrset, node, { names, apex })
    }
  }
}

/** What RFC 1034 §4.3.2 step 6 adds: addresses of the targets, glue that a referral needs first. */
export function additionalOf(
  rrset: RRset,
  node: Node,
  { names, apex }: Pick<Zone, 'names' | 'apex'>,
): readonly Additional[] {
  const types = ADDITIONAL_TYPES.get(rrset.type)
  if (types === undefined) return []
  const found = new Map<RRset, Additional>()
  for (const written of rrset.targets) {
    // RFC 9460 §2.5.2: the target "." of a service stands for the owner.
    const isOwner = written.length === 1 && (rrset.type === TYPE.SVCB || rrset.type === TYPE.HTTPS)
    if (!isOwner && !isWithin(written, apex)) continue
    const target = isOwner ? node : names.find(written, 0, written.length)
    // Data below a cut is another's, and glue for a delegation only.
    if (target === undefined || (target.cut !== undefined && rrset.type !== TYPE.NS)) continue
    const labels = isOwner ? undefined : written.subarray(0, written.length - apex.length)
    const required = node.cut === rrset && target.cut === rrset
    for (const address of target.rrsets) {
      // What a pool answers is chosen for each client, and those who ask for it get it.
      if (types.has(address.type) && address !== rrset && address.members === undefined)
        found.set(address, { rrset: address, labels, required })
    }
  }
  return [...found.values()].sort((a, b) => Number(b.required) - Number(a.required))
}
