import { contentKey } from '#core/node.ts'
import type { RRsetPlan, ZonePlan } from '../plan.ts'
import { wireName } from '../rrset.ts'
import {
  DELETE_CDNSKEY,
  DELETE_CDS,
  dnskeyData,
  dnskeyRdata,
  dsData,
  type GeneratedKey,
  keyTag,
} from './key.ts'
import type { SigningKey } from './plan.ts'
import { type SavedZone, wishOf } from './roll.ts'

/**
 * A zone with what DNSSEC puts at its apex: DNSKEY, and what the parent shall make of it (RFC 7344 §3, RFC 8078 §4).
 *
 * What was written of these types gives way: a zone that signs knows its keys.
 */
export function withKeys(zone: ZonePlan, saved: SavedZone): ZonePlan {
  const made = keyRRsets(zone, saved)
  const types = new Set(['DNSKEY', 'CDS', 'CDNSKEY'])
  const rrsets = zone.rrsets.filter(({ owner, type }) => owner !== zone.apex || !types.has(type))
  const content = made.map(({ type, ttl, data }) => [type, ttl, data])
  const signing = saved.keys.filter(({ signsData }) => signsData).map(tagOf)
  return { ...zone, rrsets: [...rrsets, ...made], key: contentKey([zone.key, content, signing]) }
}

/** What the threads that sign need of the keys. */
export function signingKeys({ keys }: SavedZone): SigningKey[] {
  return keys.map((key) => ({ tag: tagOf(key), privateKey: key.privateKey, signsData: key.signsData }))
}

/** The tag of a key's DNSKEY (RFC 4034 Appendix B). */
export function tagOf({ publicKey }: Pick<GeneratedKey, 'publicKey'>): number {
  return keyTag(dnskeyRdata(publicKey))
}

/** The longest that a cache holds a record of the zone, in seconds. */
export function longestTtl({ rrsets, soa }: ZonePlan): number {
  return rrsets.reduce((longest, { ttl }) => Math.max(longest, ttl), soa.ttl)
}

function keyRRsets(zone: ZonePlan, saved: SavedZone): RRsetPlan[] {
  const { apex: owner, from, rrsets, soa } = zone
  // As long as the NS beside them.
  const ttl = rrsets.find((rrset) => rrset.owner === owner && rrset.type === 'NS')?.ttl ?? soa.ttl
  const make = (type: string, data: readonly string[]): RRsetPlan => ({
    ...{ owner, type, ttl, data, from },
    why: 'DNSSEC',
  })
  const dnskey = make(
    'DNSKEY',
    saved.keys.map(({ publicKey }) => dnskeyData(publicKey)),
  )
  const wish = wishOf(saved)
  if (wish === null) return [dnskey]
  const apex = wireName(owner)
  const cds = wish.map(({ publicKey }) => dsData(apex, publicKey))
  const cdnskey = wish.map(({ publicKey }) => dnskeyData(publicKey))
  return [
    dnskey,
    make('CDS', wish.length === 0 ? [DELETE_CDS] : cds),
    make('CDNSKEY', wish.length === 0 ? [DELETE_CDNSKEY] : cdnskey),
  ]
}
