import type { RRsetPlan, ZonePlan } from './plan.ts'
import { READY_LIMITS, SET_HEAD } from './ready.ts'
import { parentOf } from './records/names.ts'
import { leadsInto, RECORD_HEAD, rdataOf, wireName, writeRecord } from './rrset.ts'
import { NameTable, type TableImage } from './table.ts'
import { countLabels, parentName } from './wire/name.ts'
import { TYPE, typeNumber } from './wire/types.ts'
import { hasEffect } from './zone.ts'

/**
 * A zone as octets that all threads read and none has to make: the table of its names, and behind each name first what
 * it answers to everyone (`ready.ts`), then its other RRsets. Of those, one octet counts them; each has type (2),
 * TTL (4), records (2), and for each record its length (2) and its rdata, uncompressed.
 */
export type ZoneImage = TableImage & {
  /** the most labels that a name has */
  readonly depth: number
  readonly hasWildcards: boolean
}

/** RRsets of a name: one octet counts them. */
const LIMIT_SETS = 255
/** What stands behind one name. */
const note = new Uint8Array(1_048_576)

/** An RRset in wire form. */
type Wire = { readonly type: number; readonly ttl: number; readonly rdata: readonly Uint8Array[] }

/**
 * Draw a checked zone that is answered as it is: without signatures, pools and ALIAS.
 *
 * @param allocate gives shared memory, at places of 4 octets
 * @returns undefined for one that is more than that, or has a name with too much
 */
export function drawZone(plan: ZonePlan, allocate: (octets: number) => Uint8Array): ZoneImage | undefined {
  const { rrsets } = plan
  if (plan.dnssec !== undefined || plan.aliases !== undefined || plan.expired === true) return undefined
  if (rrsets.some(({ pool, type }) => pool !== undefined || type === 'RRSIG')) return undefined
  const apex = wireName(plan.apex)
  const names = new NameTable<true>(rrsets.length + 1)
  const isCut = cutsOf(plan)
  let depth = countLabels(apex)
  let hasWildcards = false
  const deep: Uint8Array[] = []
  for (let start = 0, end = 0; start < rrsets.length; start = end) {
    const { owner } = rrsets[start]!
    while (rrsets[end]?.owner === owner) end++
    const name = wireName(owner)
    const length = writeNote(rrsets.slice(start, end), name, apex, isCut(owner))
    // Of a zone that was changed, records of one name may stand apart.
    if (length === 0 || names.find(name, 0, name.length) !== undefined) return undefined
    names.add(name, 0, name.length, true)
    names.append(note, length)
    hasWildcards ||= owner.startsWith('*.')
    depth = Math.max(depth, countLabels(name))
    if (name.length > apex.length && name[0]! + 1 + apex.length < name.length) deep.push(name)
  }
  // The apex, which has a SOA at least, and names between it and those that own something.
  note.fill(0, 0, 2)
  const add = (name: Uint8Array): void => {
    if (names.find(name, 0, name.length) !== undefined) return
    names.add(name, 0, name.length, true)
    names.append(note, 2)
  }
  add(apex)
  for (const name of deep)
    for (let above = parentName(name); above.length > apex.length; above = parentName(above)) add(above)
  return { ...names.draw(allocate), depth, hasWildcards }
}

/** Whether a name lies at a delegation, or below one or a DNAME. */
function cutsOf({ apex, rrsets }: ZonePlan): (owner: string) => boolean {
  const cuts = new Set<string>()
  const dnames = new Set<string>()
  for (const { owner, type } of rrsets) {
    if (type === 'NS' && owner !== apex) cuts.add(owner)
    if (type === 'DNAME') dnames.add(owner)
  }
  if (cuts.size + dnames.size === 0) return () => false
  return (owner) => {
    if (cuts.has(owner)) return true
    for (let name = owner; name !== apex && name !== ''; ) {
      name = parentOf(name)
      if (cuts.has(name) || dnames.has(name)) return true
    }
    return false
  }
}

/** Write all RRsets of a name to `note`; its length, or 0 when it is too much, or has no effect. */
function writeNote(sets: readonly RRsetPlan[], name: Uint8Array, apex: Uint8Array, isCut: boolean): number {
  if (sets.length > LIMIT_SETS) return 0
  const isSettled = !isCut && !sets.some(({ type }) => type === 'CNAME')
  const others: Wire[] = []
  let end = 1
  note[0] = 0
  for (const plan of sets) {
    const type = typeNumber(plan.type)!
    if (!hasEffect(name, type)) return 0
    const set: Wire = { type, ttl: plan.ttl, rdata: rdataOf({ plan, type }) }
    if (!isSettled || !isReady(set, apex)) others.push(set)
    else {
      end = writeReadySet(set, end)
      note[0]++
    }
  }
  note[end++] = others.length
  for (const set of others) {
    end = writeOther(set, end)
    if (end === 0) return 0
  }
  return end
}

/** As `ready.ts` says it of what is compiled. */
function isReady({ type, rdata }: Wire, apex: Uint8Array): boolean {
  const octets = rdata.reduce((sum, data) => sum + RECORD_HEAD + data.length, 0)
  if (octets > READY_LIMITS.octets || rdata.length > READY_LIMITS.records || type === TYPE.DS) return false
  return !rdata.some((data) => leadsInto(type, data, apex))
}

function writeReadySet({ type, ttl, rdata }: Wire, start: number): number {
  let end = start + SET_HEAD
  for (const data of rdata) end = writeRecord(note, end, { type, ttl, data })
  write16(start, type)
  note[start + 2] = rdata.length
  write16(start + 3, end - start - SET_HEAD)
  return end
}

function writeOther({ type, ttl, rdata }: Wire, start: number): number {
  const octets = rdata.reduce((sum, data) => sum + 2 + data.length, 0)
  if (start + 8 + octets > note.length || rdata.length > 0xffff) return 0
  write16(start, type)
  write16(start + 2, ttl >>> 16)
  write16(start + 4, ttl & 0xffff)
  write16(start + 6, rdata.length)
  let end = start + 8
  for (const data of rdata) {
    write16(end, data.length)
    note.set(data, end + 2)
    end += 2 + data.length
  }
  return end
}

function write16(at: number, value: number): void {
  note[at] = value >> 8
  note[at + 1] = value & 0xff
}
