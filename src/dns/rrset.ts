import type { RRsetPlan } from './plan.ts'
import { parseIpv4 } from './wire/address.ts'
import { isWithin, lowerName, NAME_LIMIT, parseName, printName } from './wire/name.ts'
import { compressibleNames, parseRdata } from './wire/rdata.ts'
import { TYPE } from './wire/types.ts'

/** An RRset as octets that are copied into a message, where two kinds of places are filled in. */
export type RRset = {
  readonly plan: RRsetPlan
  readonly type: number
  /** records, 1 to 65535 */
  readonly count: number
  /** octets of the owner in wire form, uncompressed */
  readonly ownerLength: number
  readonly apexLength: number
  /** the records one after the other, each owner a pointer to the question (octet 12) */
  readonly wire: Uint8Array
  /** where the owners stand in `wire` */
  readonly owners: readonly number[]
  /** where `wire` has two octets for a pointer to the apex (RFC 1035 §4.1.4) */
  readonly apexes: readonly number[]
  /** the names that the rdata leads to, in lower case */
  readonly targets: readonly Uint8Array[]
  /** addresses of the targets in the same zone */
  additional: readonly Additional[]
  /** who signs it; undefined for zones that are not signed, for glue, and for what points to other zones */
  signer: Signer | undefined
  /** the last signature that the signer made of it, under its own owner */
  signature: Signature | undefined
  /** of a pool: the same with one record each */
  readonly members: readonly RRset[] | undefined
}

export type Additional = {
  readonly rrset: RRset
  /** its owner's labels before the apex; undefined where it has the owner of the RRset that leads here */
  readonly labels: Uint8Array | undefined
  /** glue without which a referral is of no use (RFC 9471 §3.1) */
  readonly required: boolean
}

/** A signature as octets for a response, and when another takes its place. */
export type Signature = {
  /** the RRSIG records */
  readonly rrset: RRset
  /** seconds since 1970 */
  readonly refreshAt: number
  readonly validUntil: number
}

/** The NSEC of a name that was asked for, and its signature. */
export type Denial = { readonly nsec: RRset; readonly signature: RRset }

/** Signs what one zone answers. */
export type Signer = {
  /** proofs that came with a zone which somebody else has signed; absent: `deny` makes them */
  readonly chain?: Chain
  /**
   * The RRSIG of an RRset of the zone.
   *
   * @param name begins with the name that a wildcard gives the RRset to: wire form, lower case
   * @param patient make the signature however many were made lately
   * @returns undefined when too many had to be made; the client shall ask again over TCP
   */
  sign(rrset: RRset, name: Uint8Array, patient: boolean): RRset | undefined
  /**
   * The proof that a name has these RRsets and no more (RFC 9824 §3.1, §3.2, §3.4).
   *
   * @param name has the name from `start` on: wire form, lower case
   * @param rrsets what the name has; undefined when it does not exist
   */
  deny(name: Uint8Array, start: number, denied: Denied): Denial | undefined
}

/** An NSEC or NSEC3; `owner` in wire form, lower case. */
export type Link = {
  readonly owner: Uint8Array
  readonly nsec: RRset
  /** the one that came with it; undefined: the signer of the NSEC makes it */
  readonly signature?: RRset
}

/** What is to be proven of a name. */
export type Claim =
  /** neither the name nor a wildcard for it is there */
  | 'no name'
  /** it has not the type; or it is a delegation without DS */
  | 'no type'
  /** it is not there, and its wildcard has not the type */
  | 'no type at the wildcard'
  /** it is not there, so that its wildcard answers */
  | 'wildcard answers'

/** Proofs that a zone has from whoever signed it. Names in wire form, lower case, within the zone. */
export type Chain = { prove(claim: Claim, name: Uint8Array): readonly Link[] }

export type Denied = { readonly rrsets: readonly RRset[] | undefined; readonly patient: boolean }

/** Octets before the rdata: owner (2), type (2), class (2), ttl (4), length of rdata (2). */
export const RECORD_HEAD = 12

/** The pointer to octet 12, where the name of the question begins. */
export const QUESTION_POINTER = 0xc00c

const CLASS_IN = 1

/** Where in the rdata the name stands that a resolver asks for next. */
const TARGET_AT: ReadonlyMap<number, number> = new Map([
  [TYPE.NS, 0],
  [TYPE.CNAME, 0],
  [TYPE.DNAME, 0],
  [TYPE.MX, 2],
  [TYPE.SRV, 6],
  [TYPE.SVCB, 2],
  [TYPE.HTTPS, 2],
])

const ONE_OWNER: readonly number[] = [0]
const NOTHING: readonly never[] = []

/** What `prepareRRset` needs: `owner` and `apex` in wire form, lower case. */
export type RRsetSource = {
  readonly plan: RRsetPlan
  readonly type: number
  readonly owner: Uint8Array
  readonly apex: Uint8Array
}

/** Octets of RRsets of one zone by themselves as latin1: names often have the addresses of others, whose owner is not among them. */
export type SharedOctets = Map<string, Buffer>

/** More different ones are no longer looked for, and longer ones are seldom equal. */
const SHARED_LIMIT = { sets: 10_000, octets: 64 } as const

/**
 * Write the records of an RRset once, for all the answers it will be part of.
 *
 * @param shared where equal ones of the zone are found; grows
 * @throws {Error} when rdata cannot be read: a bug, the plan was checked
 */
export function prepareRRset(source: RRsetSource, shared?: SharedOctets): RRset {
  return prepareRecords(source, rdataOf(source), shared === undefined ? {} : { shared })
}

type Prepare = { readonly shared?: SharedOctets; readonly allocate?: (octets: number) => Buffer }

function share(wire: Buffer, shared: SharedOctets | undefined): Buffer {
  if (shared === undefined || wire.length > SHARED_LIMIT.octets) return wire
  const key = wire.toString('latin1')
  const same = shared.get(key)
  if (same === undefined && shared.size < SHARED_LIMIT.sets) shared.set(key, wire)
  return same ?? wire
}

/**
 * The rdata of an RRset's Plan in wire form, uncompressed.
 *
 * @throws {Error} when it cannot be read: a bug, the plan was checked
 */
export function rdataOf({ plan, type }: Pick<RRsetSource, 'plan' | 'type'>): Uint8Array[] {
  return plan.data.map((text) => readRdata(plan, type, text))
}

/**
 * Write records whose rdata is there already: uncompressed.
 *
 * @param allocate `Buffer.allocUnsafeSlow` for what is made by itself and kept: a few octets in a block that Node
 *   gives to everyone would keep all 64 KiB of it
 */
export function prepareRecords(
  { plan, type, owner, apex }: RRsetSource,
  rdata: readonly Uint8Array[],
  { shared, allocate = Buffer.allocUnsafe }: Prepare = {},
): RRset {
  const wire = allocate(rdata.reduce((sum, data) => sum + RECORD_HEAD + data.length, 0))
  const owners: number[] = []
  const apexes: number[] = []
  let at = 0
  for (const data of rdata) {
    owners.push(at)
    wire.writeUInt16BE(QUESTION_POINTER, at)
    wire.writeUInt16BE(type, at + 2)
    wire.writeUInt16BE(CLASS_IN, at + 4)
    wire.writeUInt32BE(plan.ttl, at + 6)
    const end = writeRdata(wire, at + RECORD_HEAD, { type, data, apex, apexes })
    wire.writeUInt16BE(end - at - RECORD_HEAD, at + 10)
    at = end
  }
  const targetAt = TARGET_AT.get(type)
  const members = plan.pool === undefined ? undefined : plan.data.map((text) => memberOf(plan, text))
  return {
    plan,
    type,
    count: rdata.length,
    ownerLength: owner.length,
    apexLength: apex.length,
    wire: share(at === wire.length ? wire : wire.subarray(0, at), shared),
    owners: owners.length === 1 ? ONE_OWNER : owners,
    apexes: apexes.length === 0 ? NOTHING : apexes,
    targets: targetAt === undefined ? NOTHING : rdata.map((data) => lowerName(nameAt(data, targetAt))),
    additional: NOTHING,
    signer: undefined,
    signature: undefined,
    members: members?.map((member) => prepareRRset({ plan: member, type, owner, apex })),
  }
}

function memberOf({ pool: _, ...plan }: RRsetPlan, data: string): RRsetPlan {
  return { ...plan, data: [data] }
}

function readRdata(plan: RRsetPlan, type: number, text: string): Uint8Array {
  // Most of a million records, for which the way through words and fields is long.
  const address = type === TYPE.A ? parseIpv4(text) : undefined
  if (address !== undefined) return address
  const rdata = parseRdata(type, text)
  if (typeof rdata === 'string') throw new Error(`${plan.owner} ${plan.type} ${text}: ${rdata}`)
  return rdata.wire
}

type RdataSource = {
  readonly type: number
  readonly data: Uint8Array
  readonly apex: Uint8Array
  /** where pointers to the apex were left; grows */
  readonly apexes: number[]
}

/** Copy rdata, the apex at the end of names cut off where the type allows it (RFC 3597 §4); returns the end. */
function writeRdata(wire: Uint8Array, at: number, { type, data, apex, apexes }: RdataSource): number {
  const names = compressibleNames(type)
  let from = 0
  let to = at
  const copy = (until: number): void => {
    while (from < until) wire[to++] = data[from++]!
  }
  copy(names?.skip ?? data.length)
  for (let i = 0; i < (names?.count ?? 0); i++) {
    const name = nameAt(data, from)
    // The apex itself is written in full: an alias to it needs its labels for what follows.
    if (apex.length > 1 && name.length > apex.length && isWithin(lowerName(name), apex)) {
      copy(from + name.length - apex.length)
      apexes.push(to)
      to += 2
      from += apex.length
    } else copy(from + name.length)
  }
  copy(data.length)
  return to
}

/** Write a record with its rdata as it is, its owner a pointer to the question; returns the end. */
export function writeRecord(
  into: Uint8Array,
  at: number,
  { type, ttl, data }: { readonly type: number; readonly ttl: number; readonly data: Uint8Array },
): number {
  const head = [QUESTION_POINTER, type, CLASS_IN, ttl >>> 16, ttl & 0xffff, data.length]
  for (let i = 0; i < RECORD_HEAD; i += 2) {
    into[at + i] = head[i >> 1]! >> 8
    into[at + i + 1] = head[i >> 1]! & 0xff
  }
  into.set(data, at + RECORD_HEAD)
  return at + RECORD_HEAD + data.length
}

/** Whether rdata has a name within the apex: a message may compress it, or add what it leads to. */
export function leadsInto(type: number, data: Uint8Array, apex: Uint8Array): boolean {
  const names = compressibleNames(type)
  const targetAt = TARGET_AT.get(type)
  if (names === undefined && targetAt === undefined) return false
  let from = names?.skip ?? targetAt!
  for (let left = names?.count ?? 1; left > 0; left--) {
    const name = nameAt(data, from)
    // The target "." of a service is its owner (RFC 9460 §2.5.2).
    if (isWithin(lowerName(name), apex) || (name.length === 1 && targetAt !== undefined)) return true
    from += name.length
  }
  return false
}

/** The uncompressed name at an offset, a view. */
function nameAt(data: Uint8Array, start: number): Uint8Array {
  let end = start
  while (data[end]! !== 0) end += data[end]! + 1
  return data.subarray(start, end + 1)
}

/** Whether the RRset of a wildcard answers for another name than its own. */
export function isExpanded({ plan, ownerLength }: RRset, name: Uint8Array): boolean {
  if (!plan.owner.startsWith('*.')) return false
  const ASTERISK = 0x2a
  return name[0] !== 1 || name[1] !== ASTERISK || nameAt(name, 0).length !== ownerLength
}

/** A wire name of a checked plan in lower case. */
export function wireName(text: string): Uint8Array {
  const name = parseName(text)
  if (typeof name === 'string') throw new Error(name)
  return lowerName(name)
}

/**
 * Make the CNAME that a DNAME gives to a name below it (RFC 6672 §3.1).
 *
 * @param name wire form, lower case
 * @returns undefined when the name would be too long
 */
export function synthesizeAlias(dname: RRset, name: Uint8Array): RRset | undefined {
  const target = dname.targets[0]!
  const labels = name.subarray(0, name.length - dname.ownerLength)
  if (labels.length + target.length > NAME_LIMIT) return undefined
  const alias = Buffer.concat([labels, target])
  const plan: RRsetPlan = { ...dname.plan, owner: printName(name), type: 'CNAME', data: [printName(alias)] }
  const apex = name.subarray(name.length - dname.apexLength)
  return prepareRRset({ plan, type: TYPE.CNAME, owner: name, apex })
}
