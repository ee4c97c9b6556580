import type { RRsetPlan } from '../plan.ts'
import { wireName } from '../rrset.ts'
import type { Message } from '../wire/message.ts'
import { isWithin, lowerName, printName } from '../wire/name.ts'
import { parseRdata, printRdata } from '../wire/rdata.ts'
import { CLASS, isMetaType, RCODE, TYPE, typeName } from '../wire/types.ts'
import type { ResourceRecord } from '../wire/writer.ts'
import { soaPlan } from '../zone.ts'
import { setKey, type Version } from './difference.ts'

/** RRsets that dynamic updates put in place of those of the file, by owner and type; no data: there is none. */
export type UpdatedSet = Pick<RRsetPlan, 'owner' | 'type' | 'ttl' | 'data'>

export type Updated = {
  readonly rcode: number
  readonly reason: string
  /** what changed; empty when nothing did */
  readonly sets: readonly UpdatedSet[]
}

/** Types whose rdata has names, which are equal whatever the case of their letters (RFC 2136 §1.1.1). */
const NAMED: ReadonlySet<string> = new Set([
  'SOA',
  'NS',
  'CNAME',
  'DNAME',
  'PTR',
  'MX',
  'SRV',
  'KX',
  'AFSDB',
  'RT',
  'RP',
])

/** What may stand beside a CNAME (RFC 2136 §3.4.2.2). */
const BESIDE_ALIAS: ReadonlySet<string> = new Set(['CNAME', 'RRSIG', 'NSEC', 'KEY'])

/** What says how a zone is signed: where we sign, nobody else does (RFC 3007 §4). */
const SIGNERS_OWN: ReadonlySet<string> = new Set(['RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM'])

class Refusal extends Error {
  readonly rcode: number

  constructor(rcode: number, reason: string) {
    super(reason)
    this.rcode = rcode
  }
}

/**
 * Work out what a dynamic update changes (RFC 2136 §3.4.2): prerequisites, then all records or none.
 *
 * @param version the zone as it is served
 * @param mayChange whether the client may change an owner
 */
export function applyUpdate(
  message: Message,
  version: Version,
  mayChange: (owner: string) => boolean,
): Updated {
  const state = new ZoneState(version)
  try {
    checkPrerequisites(message.answer, state)
    for (const record of message.authority) checkForm(record, state)
    const denied = message.authority.find(({ owner }) => !mayChange(nameOf(owner)))
    if (denied !== undefined) throw new Refusal(RCODE.REFUSED, `${nameOf(denied.owner)} is not in "names"`)
    for (const record of message.authority) change(record, state)
  } catch (error) {
    if (error instanceof Refusal) return { rcode: error.rcode, reason: error.message, sets: [] }
    throw error
  }
  return { rcode: RCODE.NOERROR, reason: 'updated', sets: state.changes() }
}

/** A zone while it is being changed. */
class ZoneState {
  readonly apex: Uint8Array
  readonly #before = new Map<string, UpdatedSet>()
  readonly #byOwner = new Map<string, Map<string, UpdatedSet>>()
  /** keys of a zone that we sign, and what parents make of them */
  readonly #ours = new Set<string>()
  readonly #changed = new Map<string, UpdatedSet>()

  constructor({ plan, serial }: Version) {
    this.apex = wireName(plan.apex)
    for (const { owner, type, ttl, data, why } of [soaPlan(plan, serial), ...plan.rrsets]) {
      if (why === 'DNSSEC') this.#ours.add(setKey({ owner, type }))
      this.#before.set(setKey({ owner, type }), { owner, type, ttl, data })
      this.#at(owner).set(type, { owner, type, ttl, data })
    }
  }

  get apexName(): string {
    return printName(this.apex)
  }

  #at(owner: string): Map<string, UpdatedSet> {
    let types = this.#byOwner.get(owner)
    if (types === undefined) this.#byOwner.set(owner, (types = new Map()))
    return types
  }

  find(owner: string, type: string): UpdatedSet | undefined {
    return this.#byOwner.get(owner)?.get(type)
  }

  isOurs(owner: string, type: string): boolean {
    return this.#ours.has(setKey({ owner, type }))
  }

  /** Whether we sign the zone. */
  get isSigned(): boolean {
    return this.#ours.size > 0
  }

  types(owner: string): string[] {
    return [...(this.#byOwner.get(owner)?.keys() ?? [])]
  }

  isInUse(owner: string): boolean {
    return this.types(owner).length > 0
  }

  put(set: UpdatedSet): void {
    if (set.data.length === 0) this.#at(set.owner).delete(set.type)
    else this.#at(set.owner).set(set.type, set)
    this.#changed.set(setKey(set), set)
  }

  changes(): UpdatedSet[] {
    return [...this.#changed].flatMap(([key, set]) => {
      const before = this.#before.get(key)
      const isSame = before?.ttl === set.ttl && String(before.data) === String(set.data)
      return isSame || (before === undefined && set.data.length === 0) ? [] : [set]
    })
  }
}

function nameOf(owner: Uint8Array): string {
  return printName(lowerName(owner))
}

function checkZone(owner: Uint8Array, { apex }: ZoneState): void {
  if (!isWithin(lowerName(owner), apex))
    throw new Refusal(RCODE.NOTZONE, `${nameOf(owner)} is not in the zone`)
}

/** RFC 2136 §3.2. */
function checkPrerequisites(records: readonly ResourceRecord[], state: ZoneState): void {
  const wanted = new Map<string, UpdatedSet>()
  for (const record of records) {
    const { type, class: rclass, ttl, rdata } = record
    const owner = nameOf(record.owner)
    if (ttl !== 0) throw new Refusal(RCODE.FORMERR, 'a prerequisite with a TTL')
    checkZone(record.owner, state)
    if (rclass === CLASS.IN) {
      if (isMetaType(type)) throw new Refusal(RCODE.FORMERR, 'a prerequisite of a type that no zone holds')
      const set = { owner, type: typeName(type), ttl: 0 }
      const data = wanted.get(setKey(set))?.data ?? []
      wanted.set(setKey(set), { ...set, data: [...data, printRdata(type, rdata)] })
    } else checkExistence(record, owner, state)
  }
  for (const set of wanted.values()) {
    if (!hasSameData(set, state)) throw new Refusal(RCODE.NXRRSET, `${setKey(set)} is another`)
  }
}

/** RFC 2136 §2.4: a name or an RRset is there (ANY), or it is not (NONE). */
function checkExistence(
  { type, class: rclass, rdata }: ResourceRecord,
  owner: string,
  state: ZoneState,
): void {
  if ((rclass !== CLASS.ANY && rclass !== CLASS.NONE) || rdata.length > 0)
    throw new Refusal(RCODE.FORMERR, 'a prerequisite of another class, or with data')
  const isWanted = rclass === CLASS.ANY
  if (type === TYPE.ANY) {
    if (state.isInUse(owner) === isWanted) return
    throw new Refusal(
      isWanted ? RCODE.NXDOMAIN : RCODE.YXDOMAIN,
      `${owner} is ${isWanted ? 'not ' : ''}in use`,
    )
  }
  const isThere = state.find(owner, typeName(type)) !== undefined
  if (isThere === isWanted) return
  const what = `${owner} ${typeName(type)}`
  throw new Refusal(isWanted ? RCODE.NXRRSET : RCODE.YXRRSET, `${what} is ${isWanted ? 'not ' : ''}there`)
}

function hasSameData(set: UpdatedSet, state: ZoneState): boolean {
  const there = state.find(set.owner, set.type)
  const sorted = ({ data }: UpdatedSet): string =>
    [...new Set(data.map((text) => canon(set.type, text)))].sort().join('\n')
  return there !== undefined && sorted(there) === sorted(set)
}

function canon(type: string, data: string): string {
  return NAMED.has(type) ? data.toLowerCase() : data
}

/** RFC 2136 §3.4.1.2. */
function checkForm({ owner, type, class: rclass, ttl, rdata }: ResourceRecord, state: ZoneState): void {
  checkZone(owner, state)
  const isQueryType = isMetaType(type)
  const isOk =
    rclass === CLASS.IN
      ? !isQueryType && ttl < 2 ** 31
      : rclass === CLASS.ANY
        ? ttl === 0 && rdata.length === 0 && (!isQueryType || type === TYPE.ANY)
        : rclass === CLASS.NONE && ttl === 0 && !isQueryType
  if (isOk && rclass === CLASS.IN && typeof parseRdata(type, printRdata(type, rdata)) === 'string')
    throw new Refusal(RCODE.FORMERR, `${nameOf(owner)} ${typeName(type)} has octets that are no such data`)
  if (!isOk) throw new Refusal(RCODE.FORMERR, `an update of ${nameOf(owner)} that is none`)
  if (state.isSigned && SIGNERS_OWN.has(typeName(type)))
    throw new Refusal(RCODE.REFUSED, `${typeName(type)} of a zone that is signed here`)
}

/** RFC 2136 §3.4.2. */
function change(record: ResourceRecord, state: ZoneState): void {
  const owner = nameOf(record.owner)
  const type = typeName(record.type)
  const isApex = owner === state.apexName
  // Our serial follows from the content: what would set the SOA changes nothing.
  if (record.type === TYPE.SOA || state.isOurs(owner, type)) return
  if (record.class === CLASS.IN) return add(record, { owner, type }, state)
  const isKept = (one: string): boolean =>
    (isApex && (one === 'NS' || one === 'SOA')) || state.isOurs(owner, one)
  if (record.class === CLASS.ANY) {
    const types = record.type === TYPE.ANY ? state.types(owner) : [type]
    for (const one of types) if (!isKept(one)) state.put({ owner, type: one, ttl: 0, data: [] })
    return
  }
  const set = state.find(owner, type)
  if (set === undefined) return
  const gone = canon(type, printRdata(record.type, record.rdata))
  const data = set.data.filter((text) => canon(type, text) !== gone)
  // RFC 2136 §3.4.2.4: the last name server stays.
  if (data.length === 0 && isKept(type)) return
  if (data.length < set.data.length) state.put({ ...set, data })
}

function add(
  { type: number, ttl, rdata }: ResourceRecord,
  { owner, type }: { readonly owner: string; readonly type: string },
  state: ZoneState,
): void {
  const others = state.types(owner).filter((other) => !BESIDE_ALIAS.has(other))
  // RFC 2136 §3.4.2.2: an alias and other data never stand at one name; the one that was there stays.
  if (type === 'CNAME' && others.length > 0) return
  if (!BESIDE_ALIAS.has(type) && state.find(owner, 'CNAME') !== undefined) return
  const data = printRdata(number, rdata)
  const set = type === 'CNAME' || type === 'DNAME' ? undefined : state.find(owner, type)
  const kept = (set?.data ?? []).filter((text) => canon(type, text) !== canon(type, data))
  state.put({ owner, type, ttl, data: [...kept, data] })
}
