import type { RRsetPlan, ZonePlan } from '../plan.ts'
import { rdataOf, wireName } from '../rrset.ts'
import type { PrintedRRset } from '../wire/masterfile-print.ts'
import { compareNames } from '../wire/name.ts'
import { printRdata } from '../wire/rdata.ts'
import { TYPE, typeNumber } from '../wire/types.ts'
import { compileZone, type Node, soaPlan } from '../zone.ts'
import { nsecRdata } from './nsec.ts'
import type { SigningKey } from './plan.ts'
import { openKeys, signSet, validityOf } from './rrsig.ts'

/** Signatures that were made before, by owner and type: what holds still is taken again. */
export type KnownSignatures = ReadonlyMap<string, KnownSignature>

export type KnownSignature = {
  /** of what they were made, and until when they are to be used */
  readonly of: string
  /** rdata of RRSIG in presentation form */
  readonly data: readonly string[]
}

type SignZoneOptions = {
  readonly serial: number
  readonly nowSeconds: number
  readonly known?: KnownSignatures
  /** Told of each signature; it is made now, or known. */
  readonly onUsed?: (key: string, signature: KnownSignature, isMade: boolean) => void
}

/**
 * Sign a whole zone, for servers that do not sign themselves: RRSIG beside each RRset, and a chain of NSEC from name to
 * name (RFC 4035 §2.2, §2.3) in place of the proofs that Portico makes for each answer.
 *
 * @param zone with its keys among the records
 * @param keys not empty
 * @returns all RRsets but the SOA, one after the other as they are signed; those of RRSIG by the type that they cover
 */
export function* signZone(
  zone: ZonePlan,
  keys: readonly SigningKey[],
  options: SignZoneOptions,
): Generator<PrintedRRset> {
  const negativeTtl = Math.min(zone.soa.ttl, zone.soa.minimum)
  const names = authoritativeNames(zone, options.serial)
  const sign = createSetSigner(zone, keys, options)
  for (const [i, { name, rrsets, isCut }] of names.entries()) {
    const next = names[(i + 1) % names.length]!.name
    const { owner } = rrsets[0]!
    const known = isCut ? rrsets.filter(({ type }) => type === 'NS' || type === 'DS') : rrsets
    const types = known.map(({ type }) => typeNumber(type)!)
    const data = [printRdata(TYPE.NSEC, nsecRdata(next, types))]
    const nsec = { owner, type: 'NSEC', ttl: negativeTtl, data }
    const signed = isCut ? known.filter(({ type }) => type === 'DS') : rrsets
    yield* rrsets.filter(({ type }) => type !== 'SOA')
    yield nsec
    for (const rrset of [...signed, nsec]) yield sign(rrset, name)
  }
  yield* glueOf(zone, names)
}

function createSetSigner(
  zone: ZonePlan,
  keys: readonly SigningKey[],
  { nowSeconds, known, onUsed }: SignZoneOptions,
): (rrset: PrintedRRset, name: Uint8Array) => PrintedRRset {
  const keysOf = openKeys(wireName(zone.apex), keys)
  return ({ owner, type, ttl, data }, name) => {
    const number = typeNumber(type)!
    const signers = keysOf(number)
    const validity = validityOf(name, number, nowSeconds)
    const of = [validity.expiration, ...signers.map(({ tag }) => tag), ttl, ...data].join(' ')
    const key = `${owner} ${type}`
    const before = known?.get(key)
    if (before?.of === of) {
      onUsed?.(key, before, false)
      return { owner, type: 'RRSIG', ttl, data: before.data }
    }
    const plan: RRsetPlan = { owner, type, ttl, data, from: zone.from, why: 'DNSSEC' }
    const set = { owner: name, type: number, ttl, rdata: rdataOf({ plan, type: number }) }
    const made = signers.map((one) => printRdata(TYPE.RRSIG, signSet(set, one, validity)))
    onUsed?.(key, { of, data: made }, true)
    return { owner, type: 'RRSIG', ttl, data: made }
  }
}

type SignedName = {
  readonly name: Uint8Array
  readonly rrsets: readonly RRsetPlan[]
  readonly isCut: boolean
}

/** Names with records that are ours, and cuts, in canonical order (RFC 4034 §6.1); what lies below cuts is not ours. */
function authoritativeNames(zone: ZonePlan, serial: number): SignedName[] {
  const nodes = compileZone(zone, serial).names.values
  return nodes
    .filter(isSigned)
    .map(({ rrsets, cut }) => ({
      name: wireName(rrsets[0]!.plan.owner),
      rrsets: rrsets.map(({ plan, type }) => (type === TYPE.SOA ? soaPlan(zone, serial) : plan)),
      isCut: cut !== undefined,
    }))
    .sort((a, b) => compareNames(a.name, b.name))
}

function isSigned({ rrsets, cut }: Node): boolean {
  return rrsets.length > 0 && (cut === undefined || rrsets.includes(cut))
}

function glueOf(zone: ZonePlan, names: readonly SignedName[]): PrintedRRset[] {
  const owners = new Set(names.map(({ rrsets }) => rrsets[0]!.owner))
  return zone.rrsets.filter(({ owner }) => !owners.has(owner))
}
