import { contentKey } from '#core/node.ts'
import { zoneOf } from '#dns/records/names.ts'
import type { RRsetPlan, ZonePlan } from './plan.ts'

/** A TXT record that stands for minutes beside what the file says; the owner absolute, in lower case. */
export type OverlayRecord = { readonly owner: string; readonly text: string }

/** Nobody should keep a proof for longer than the order that it is for. */
const TTL_SECONDS = 60

/**
 * Lay short-lived records over zones: those that are concerned are replaced by what they are for now, so that
 * wildcards, empty non-terminals and negative answers around the records are right without a rule of their own.
 * The others stay the same objects.
 */
export function overlayZones(
  zones: readonly ZonePlan[],
  records: readonly OverlayRecord[],
): readonly ZonePlan[] {
  if (records.length === 0) return zones
  const apexes = new Map(zones.map((zone) => [zone.apex, zone]))
  const concerned = Map.groupBy(records, ({ owner }) => zoneOf(owner, apexes))
  return zones.map((zone) => {
    const own = concerned.get(zone.apex)
    return own === undefined ? zone : overlayZone(zone, own)
  })
}

function overlayZone(zone: ZonePlan, records: readonly OverlayRecord[]): ZonePlan {
  const texts = Map.groupBy(records, ({ owner }) => owner)
  const isUnder = ({ owner, type }: RRsetPlan): boolean => type === 'TXT' && texts.has(owner)
  const added = Array.from(texts, ([owner, own]): RRsetPlan => {
    const written = zone.rrsets.find((rrset) => isUnder(rrset) && rrset.owner === owner)
    const data = [...(written?.data ?? []), ...own.map(({ text }) => quote(text))]
    const why = 'proof for a certificate'
    return { owner, type: 'TXT', ttl: TTL_SECONDS, data: [...new Set(data)], from: zone.from, why }
  })
  const rrsets = [...zone.rrsets.filter((rrset) => !isUnder(rrset)), ...added]
  return { ...zone, key: contentKey([zone.key, records]), rrsets }
}

/** As a character-string (RFC 1035 §5.1). */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
