import type { RRsetPlan, ZonePlan } from '../plan.ts'
import { setKey, zoneKey } from './difference.ts'
import type { UpdatedSet } from './update.ts'

/** RRsets that dynamic updates left, by owner and type. */
export type Updates = ReadonlyMap<string, UpdatedSet>

/** RRsets that updates of one zone may leave: state, and each reload, must not grow without end. */
export const UPDATES_LIMIT = 100_000

/** Lay updates over a zone of the file: they win, set by set. */
export function layUpdates(zone: ZonePlan, updates: Updates): ZonePlan {
  if (updates.size === 0) return zone
  const kept = zone.rrsets.filter((rrset) => !updates.has(setKey(rrset)))
  const added = [...updates.values()].filter(({ data }) => data.length > 0)
  const rrsets: RRsetPlan[] = [
    ...kept,
    ...added.map((set): RRsetPlan => ({ ...set, from: zone.from, why: 'updated' })),
  ]
  return { ...zone, key: zoneKey(zone.apex, zone.soa, rrsets), rrsets }
}

/** Add changes to updates; what is again as in the file is no update any more. */
export function mergeUpdates(zone: ZonePlan, updates: Updates, changes: readonly UpdatedSet[]): Updates {
  const written = new Map(zone.rrsets.map((rrset) => [setKey(rrset), rrset]))
  const merged = new Map(updates)
  for (const set of changes) {
    const key = setKey(set)
    const base = written.get(key)
    const isAsWritten =
      base === undefined
        ? set.data.length === 0
        : base.ttl === set.ttl &&
          base.data.length === set.data.length &&
          set.data.every((one) => base.data.includes(one))
    if (isAsWritten) merged.delete(key)
    else merged.set(key, set)
  }
  return merged
}
