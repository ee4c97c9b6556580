import type { SoaPlan } from '../plan.ts'
import type { Message } from '../wire/message.ts'
import { isWithin, lowerName, printName } from '../wire/name.ts'
import { parseRdata, printRdata } from '../wire/rdata.ts'
import { parseSoa, type Soa } from '../wire/soa.ts'
import { CLASS, isMetaType, RCODE, rcodeName, TYPE, typeName } from '../wire/types.ts'
import type { ResourceRecord } from '../wire/writer.ts'
import { type Difference, isNewer, type ZoneRecord } from './difference.ts'

/** What a primary gave. */
export type Received =
  | { readonly kind: 'up to date'; readonly serial: number }
  | {
      readonly kind: 'whole'
      readonly soa: SoaPlan
      readonly serial: number
      readonly records: readonly ZoneRecord[]
    }
  | {
      readonly kind: 'changes'
      readonly soa: SoaPlan
      readonly serial: number
      readonly changes: readonly Difference[]
    }

/** Records of one transfer: a primary that never ends must not take all memory. */
const RECORD_LIMIT = 5_000_000

type Phase = 'first' | 'second' | 'whole' | 'removed' | 'added' | 'done'

/** Reads the answer to an AXFR (RFC 5936 §2.2) or IXFR (RFC 1995 §4), message by message. */
export class IncomingTransfer {
  readonly #apex: Uint8Array
  /** serial of our copy; null when all is asked for */
  readonly #ours: number | null
  #phase: Phase = 'first'
  #soa: Soa | undefined
  #soaRecord: ZoneRecord | undefined
  #records: ZoneRecord[] = []
  #count = 0
  readonly #changes: Difference[] = []
  #removed: ZoneRecord[] = []
  #removedFrom = 0
  #addedTo = 0

  /** @param apex wire form, lower case */
  constructor(apex: Uint8Array, ours: number | null) {
    this.#apex = apex
    this.#ours = ours
  }

  /**
   * Take the next message.
   *
   * @returns what was received when it is whole, null when more must come, or a text: the transfer has failed
   */
  take(message: Message): Received | null | string {
    if (message.rcode !== RCODE.NOERROR) return `the primary answers ${rcodeName(message.rcode)}`
    if (message.answer.length === 0) return 'the primary sends a message without records'
    for (const record of message.answer) {
      const fault = this.#phase === 'done' ? 'records follow the last SOA' : this.#takeRecord(record)
      if (fault !== undefined) return fault
    }
    if (this.#phase === 'second' && this.#ours !== null && !isNewer(this.#soa!.serial, this.#ours))
      return { kind: 'up to date', serial: this.#soa!.serial }
    return this.#phase === 'done' ? this.#received() : null
  }

  #received(): Received {
    const { serial, mname, rname, refresh, retry, expire, minimum } = this.#soa!
    const soa = { mname, rname, refresh, retry, expire, minimum, ttl: this.#soaRecord!.ttl }
    if (this.#changes.length > 0) return { kind: 'changes', soa, serial, changes: this.#changes }
    return { kind: 'whole', soa, serial, records: this.#records }
  }

  #takeRecord(record: ResourceRecord): string | undefined {
    const owner = lowerName(record.owner)
    const read = toRecord(record)
    if (typeof read === 'string') return read
    if (this.#count++ > RECORD_LIMIT) return `more than ${RECORD_LIMIT} records`
    const soa = record.type === TYPE.SOA ? parseSoa(record.rdata) : undefined
    if (soa !== undefined && printName(owner) !== printName(this.#apex)) return 'a SOA of another zone'
    if (this.#phase === 'first') {
      if (soa === undefined) return 'the first record is no SOA'
      this.#soa = soa
      this.#soaRecord = read
      this.#phase = 'second'
      return undefined
    }
    // What is outside the zone is not the primary's to give (RFC 5936 §3.1).
    if (!isWithin(owner, this.#apex)) return `${read.owner} is not in the zone`
    if (soa !== undefined) return this.#takeSoa(read, soa.serial)
    if (this.#phase === 'second') this.#phase = 'whole'
    this.#records.push(read)
    return undefined
  }

  /** A SOA ends the zone, or one part of a difference and begins the next. */
  #takeSoa(record: ZoneRecord, serial: number): string | undefined {
    if (this.#phase === 'second' && serial === this.#ours) {
      this.#removedFrom = serial
      this.#records = [record]
      this.#phase = 'removed'
    } else if (this.#phase === 'second' || this.#phase === 'whole') {
      if (serial !== this.#soa!.serial) return 'the last SOA is not the first one'
      this.#phase = 'done'
    } else if (this.#phase === 'removed') {
      this.#removed = this.#records
      this.#records = [record]
      this.#addedTo = serial
      this.#phase = 'added'
    } else return this.#endDifference(record, serial)
    return undefined
  }

  #endDifference(record: ZoneRecord, serial: number): string | undefined {
    if (serial !== this.#addedTo) return 'a difference begins where the one before does not end'
    const [from, to] = [this.#removedFrom, this.#addedTo]
    this.#changes.push({ from, to, removed: this.#removed, added: this.#records })
    this.#records = [record]
    this.#removedFrom = serial
    this.#phase = serial === this.#soa!.serial ? 'done' : 'removed'
    return undefined
  }
}

/** A record as text, or why no zone can hold it. */
function toRecord({ owner, type, class: rclass, ttl, rdata }: ResourceRecord): ZoneRecord | string {
  const name = printName(lowerName(owner))
  if (rclass !== CLASS.IN || isMetaType(type)) return `${name} ${typeName(type)} is no record of a zone`
  const data = printRdata(type, rdata)
  if (typeof parseRdata(type, data) === 'string')
    return `${name} ${typeName(type)} has octets that are no such data`
  // RFC 2181 §8: the highest bit set means 0.
  return { owner: name, type: typeName(type), ttl: ttl < 2 ** 31 ? ttl : 0, data }
}
