import { contentKey } from '#core/node.ts'
import type { RRsetPlan, SoaPlan, ZonePlan } from '../plan.ts'
import { soaPlan } from '../zone.ts'

/** A zone at one moment. */
export type Version = { readonly plan: ZonePlan; readonly serial: number }

/** One record in presentation form; names absolute. */
export type ZoneRecord = {
  readonly owner: string
  readonly type: string
  /** seconds */
  readonly ttl: number
  readonly data: string
}

/** From one version to the next (RFC 1995 §4): both lists begin with the SOA. Plain JSON. */
export type Difference = {
  readonly from: number
  readonly to: number
  readonly removed: readonly ZoneRecord[]
  readonly added: readonly ZoneRecord[]
}

/** Whether one serial comes after another, in the circle that they go round (RFC 1982 §3.2). */
export function isNewer(serial: number, than: number): boolean {
  const ahead = (serial - than) >>> 0
  return ahead > 0 && ahead < 2 ** 31
}

/** The SOA first, then all other records. */
export function* recordsOf({ plan, serial }: Version): Generator<ZoneRecord> {
  yield soaOf({ plan, serial })
  for (const rrset of plan.rrsets) yield* recordsOfSet(rrset)
}

/** How many records there are, the SOA among them. */
export function countRecords({ plan }: Version): number {
  return plan.rrsets.reduce((sum, { data }) => sum + data.length, 1)
}

/** The SOA of a version. */
export function soaOf({ plan, serial }: Version): ZoneRecord {
  return [...recordsOfSet(soaPlan(plan, serial))][0]!
}

function* recordsOfSet({ owner, type, ttl, data }: RRsetPlan): Generator<ZoneRecord> {
  for (const one of data) yield { owner, type, ttl, data: one }
}

/** What differs between two versions of a zone. */
export function differ(before: Version, after: Version): Difference {
  const old = setsOf(before)
  const next = setsOf(after)
  const removed: ZoneRecord[] = [soaOf(before)]
  const added: ZoneRecord[] = [soaOf(after)]
  for (const [key, set] of old) removed.push(...missing(set, next.get(key)))
  for (const [key, set] of next) added.push(...missing(set, old.get(key)))
  return { from: before.serial, to: after.serial, removed, added }
}

/** Records of a set that are not in another one; a TTL belongs to the whole set (RFC 2181 §5.2). */
function missing(set: RRsetPlan, other: RRsetPlan | undefined): ZoneRecord[] {
  if (set === other) return []
  const there = other?.ttl === set.ttl ? new Set(other.data) : new Set<string>()
  return [...recordsOfSet(set)].filter(({ data }) => !there.has(data))
}

function setsOf({ plan }: Version): Map<string, RRsetPlan> {
  return new Map(plan.rrsets.map((rrset) => [setKeyOf(rrset.type, rrset.owner, rrset.data[0]!), rrset]))
}

/** Signatures of a name are as many RRsets as there are types that they cover: their TTL is that of each (RFC 4034 §3). */
function setKeyOf(type: string, owner: string, data: string): string {
  const key = setKey({ owner, type })
  return type === 'RRSIG' ? `${key} ${data.slice(0, data.indexOf(' '))}` : key
}

/** Names an RRset within its zone. */
export function setKey({ owner, type }: { readonly owner: string; readonly type: string }): string {
  return `${owner} ${type}`
}

/**
 * Make the records that a primary gave to a zone.
 *
 * @param records without the SOA
 */
export function zoneOfRecords(
  records: Iterable<ZoneRecord>,
  zone: Pick<ZonePlan, 'id' | 'from' | 'apex'> & { readonly soa: SoaPlan },
): ZonePlan {
  const sets = new Map<string, { ttl: number; data: Set<string>; owner: string; type: string }>()
  for (const { owner, type, ttl, data } of records) {
    const key = setKeyOf(type, owner, data)
    const set = sets.get(key)
    if (set === undefined) sets.set(key, { owner, type, ttl, data: new Set([data]) })
    else set.data.add(data)
  }
  const why = 'copied from the primary'
  const rrsets = Array.from(sets.values(), ({ data, ...set }): RRsetPlan => {
    return { ...set, data: [...data], from: zone.from, why }
  })
  const { id, from, apex, soa } = zone
  return { id, from, apex, soa, key: zoneKey(apex, soa, rrsets), rrsets }
}

/** The key of a zone's content, positions and reasons left out. */
export function zoneKey(apex: string, soa: SoaPlan, rrsets: readonly RRsetPlan[]): string {
  return contentKey([apex, soa, rrsets.map(({ owner, type, ttl, data }) => [owner, type, ttl, data])])
}

/**
 * Take a difference over to a zone.
 *
 * @returns undefined when it removes what is not there: the two versions are not the ones that it is between
 */
export function applyDifference(records: Map<string, ZoneRecord>, difference: Difference): boolean {
  for (const record of difference.removed.slice(1)) if (!records.delete(recordKey(record))) return false
  for (const record of difference.added.slice(1)) records.set(recordKey(record), record)
  return true
}

/** Names a record within its zone. */
export function recordKey({ owner, type, data }: ZoneRecord): string {
  return `${owner} ${type} ${data}`
}

/** What a history may take: differences, and records in all of them. */
export const HISTORY_LIMIT = { differences: 2000, records: 200_000 } as const

/** Add a difference, and forget the oldest beyond the limit; one that does not follow on begins a new history. */
export function remember(history: readonly Difference[], next: Difference): readonly Difference[] {
  const follows = history.at(-1)?.to === next.from
  const all = follows ? [...history, next] : [next]
  let records = all.reduce((sum, { removed, added }) => sum + removed.length + added.length, 0)
  let first = 0
  while (all.length - first > HISTORY_LIMIT.differences || records > HISTORY_LIMIT.records) {
    if (first === all.length) break
    const { removed, added } = all[first++]!
    records -= removed.length + added.length
  }
  return all.slice(first)
}

/** The differences from a serial to the newest, or undefined when they are not known. */
export function differencesSince(
  history: readonly Difference[],
  serial: number,
): readonly Difference[] | undefined {
  const at = history.findIndex(({ from }) => from === serial)
  return at === -1 ? undefined : history.slice(at)
}

/** What several differences come to, as one (RFC 1995 §5): what came and went is not told. */
export function condense(changes: readonly Difference[]): Difference {
  const removed = new Map<string, ZoneRecord>()
  const added = new Map<string, ZoneRecord>()
  for (const change of changes) {
    for (const record of change.removed.slice(1)) {
      const key = `${recordKey(record)} ${record.ttl}`
      if (!added.delete(key)) removed.set(key, record)
    }
    for (const record of change.added.slice(1)) {
      const key = `${recordKey(record)} ${record.ttl}`
      if (!removed.delete(key)) added.set(key, record)
    }
  }
  const [first, last] = [changes[0]!, changes.at(-1)!]
  return {
    ...{ from: first.from, to: last.to },
    removed: [first.removed[0]!, ...removed.values()],
    added: [last.added[0]!, ...added.values()],
  }
}
