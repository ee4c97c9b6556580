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

/**
 * Sign a whole zone, for servers that do not sign themselves: RRSIG beside each RRset, and a chain of NSEC from name to
 * name (RFC 4035 §2.2, §2.3) in place of the proofs that Portico makes for each answer.
 *
 * @param zone with its keys among the records
 * @param keys not empty
 * @returns all RRsets but the SOA
 */
export function signZone(
  zone: ZonePlan,
  keys: readonly SigningKey[],
  { serial, nowSeconds }: { readonly serial: number; readonly nowSeconds: number },
): PrintedRRset[] {
  const keysOf = openKeys(wireName(zone.apex), keys)
  const negativeTtl = Math.min(zone.soa.ttl, zone.soa.minimum)
  const names = authoritativeNames(zone, serial)
  const signatures = ({ owner, type, ttl, data }: PrintedRRset, name: Uint8Array): PrintedRRset => {
    const number = typeNumber(type)!
    const plan: RRsetPlan = { owner, type, ttl, data, from: zone.from, why: 'DNSSEC' }
    const set = { owner: name, type: number, ttl, rdata: rdataOf({ plan, type: number }) }
    const validity = validityOf(name, number, nowSeconds)
    const made = keysOf(number).map((key) => printRdata(TYPE.RRSIG, signSet(set, key, validity)))
    return { owner, type: 'RRSIG', ttl, data: made }
  }
  return names
    .flatMap(({ name, rrsets, isCut }, i) => {
      const next = names[(i + 1) % names.length]!.name
      const { owner } = rrsets[0]!
      const known = isCut ? rrsets.filter(({ type }) => type === 'NS' || type === 'DS') : rrsets
      const rdata = nsecRdata(
        next,
        known.map(({ type }) => typeNumber(type)!),
      )
      const nsec = { owner, type: 'NSEC', ttl: negativeTtl, data: [printRdata(TYPE.NSEC, rdata)] }
      const signed = isCut ? known.filter(({ type }) => type === 'DS') : rrsets
      const rest = rrsets.filter(({ type }) => type !== 'SOA')
      return [...rest, nsec, ...[...signed, nsec].map((rrset) => signatures(rrset, name))]
    })
    .concat(glueOf(zone, names))
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
