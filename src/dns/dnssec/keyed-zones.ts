import { contentKey } from '#core/node.ts'
import { parentOf, zoneOf } from '#dns/records/names.ts'
import type { RRsetPlan, ZonePlan } from '../plan.ts'
import { wireName } from '../rrset.ts'
import { dsData } from './key.ts'
import type { ZoneKeys } from './plan.ts'
import { type SavedZone, wishOf } from './roll.ts'
import { signingKeys, withKeys } from './zone-keys.ts'

/** What is remembered of each signed zone, by the id of the zone. */
export type SavedZones = Readonly<Record<string, SavedZone>>

/** Zones as they are served, with their keys among the records, and what signs them. */
export type KeyedZones = { readonly zones: readonly ZonePlan[]; readonly keys: ZoneKeys }

/** All zones as they are served: signed ones with their keys, and with the DS of those of ours below them. */
export function keyZones(zones: readonly ZonePlan[], saved: SavedZones): KeyedZones {
  const signed = new Map(zones.flatMap((zone) => (saved[zone.id] ? [[zone.apex, saved[zone.id]!]] : [])))
  if (signed.size === 0) return { zones, keys: new Map() }
  const keyed = zones.map((zone) => {
    const own = saved[zone.id]
    return own === undefined ? zone : withDs(withKeys(zone, own), signed)
  })
  const keys = zones.flatMap((zone) =>
    saved[zone.id] ? [[zone.id, signingKeys(saved[zone.id]!)] as const] : [],
  )
  return { zones: keyed, keys: new Map(keys) }
}

/** The parent of a zone of ours knows what it wants without being told (RFC 4035 §2.4); what was written stays. */
function withDs(zone: ZonePlan, signed: ReadonlyMap<string, SavedZone>): ZonePlan {
  const made: RRsetPlan[] = []
  for (const [apex, child] of signed) {
    if (apex === zone.apex || zoneOf(parentOf(apex), signed) !== zone.apex) continue
    const there = zone.rrsets.filter(({ owner }) => owner === apex)
    const ns = there.find(({ type }) => type === 'NS')
    const data = (wishOf(child) ?? []).map(({ publicKey }) => dsData(wireName(apex), publicKey))
    if (ns === undefined || data.length === 0 || there.some(({ type }) => type === 'DS')) continue
    made.push({ owner: apex, type: 'DS', ttl: ns.ttl, data, from: ns.from, why: 'DNSSEC' })
  }
  if (made.length === 0) return zone
  const content = made.map(({ owner, ttl, data }) => [owner, ttl, data])
  return { ...zone, rrsets: [...zone.rrsets, ...made], key: contentKey([zone.key, content]) }
}
