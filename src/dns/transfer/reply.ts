import { decodeMessage, encodeMessage, type Message } from '../wire/message.ts'
import { parseName, printName } from '../wire/name.ts'
import { parseRdata } from '../wire/rdata.ts'
import { parseSoa } from '../wire/soa.ts'
import { CLASS, TYPE, typeNumber } from '../wire/types.ts'
import { MessageWriter, type ResourceRecord } from '../wire/writer.ts'
import {
  condense,
  countRecords,
  type Difference,
  differencesSince,
  isNewer,
  recordsOf,
  soaOf,
  type Version,
  type ZoneRecord,
} from './difference.ts'

/** Octets of a message of a transfer: names of all of it can be pointed at (RFC 1035 §4.1.4). */
const MESSAGE_OCTETS = 16_384
const HEADER = 12
const QR_AA = 0x8400
const RD = 0x0100
const UDP_OCTETS = 512
/** DNS Flag Day 2020 */
const EDNS_OCTETS = 1232

/** What a transfer is answered with, and why. */
export type TransferReply = {
  readonly reason:
    | 'whole zone'
    | 'changes'
    | 'up to date'
    | 'whole zone: changes not known'
    | 'whole zone: shorter than its changes'
  readonly records: Iterable<ZoneRecord>
}

/**
 * Decide what a copy of the zone needs (RFC 5936 §2.2, RFC 1995 §2, §4).
 *
 * @param theirs serial of the copy; null for AXFR
 */
export function chooseTransfer(
  version: Version,
  history: readonly Difference[],
  theirs: number | null,
): TransferReply {
  const whole = { [Symbol.iterator]: () => wholeZone(version) }
  if (theirs === null) return { reason: 'whole zone', records: whole }
  if (!isNewer(version.serial, theirs)) return { reason: 'up to date', records: [soaOf(version)] }
  const known = differencesSince(history, theirs)
  if (known === undefined) return { reason: 'whole zone: changes not known', records: whole }
  const count = countRecords(version)
  const changes = lengthOf(known) > count ? [condense(known)] : known
  // Told as changes a zone takes at most twice the records that it has, as long as it did not shrink.
  if (lengthOf(changes) > 2 * count) return { reason: 'whole zone: shorter than its changes', records: whole }
  const soa = soaOf(version)
  const inside = changes.flatMap(({ removed, added }) => [...removed, ...added])
  return { reason: 'changes', records: [soa, ...inside, soa] }
}

function lengthOf(changes: readonly Difference[]): number {
  return changes.reduce((sum, { removed, added }) => sum + removed.length + added.length, 0)
}

/** All records between two copies of the SOA (RFC 5936 §2.2). */
function* wholeZone(version: Version): Generator<ZoneRecord> {
  yield* recordsOf(version)
  yield soaOf(version)
}

/** The serial that an IXFR says the client has (RFC 1995 §3); undefined when it says none. */
export function serialOfQuery({ authority, question }: Message): number | undefined {
  const soa = authority.find(({ type, owner }) => {
    return type === TYPE.SOA && printName(owner).toLowerCase() === printName(question[0]!.name).toLowerCase()
  })
  return soa === undefined ? undefined : parseSoa(soa.rdata)?.serial
}

/**
 * Write records as the messages of one answer (RFC 5936 §2.2): the question in the first, as many records in each as
 * it takes.
 */
export function* writeMessages(query: Message, records: Iterable<ZoneRecord>): Generator<Buffer> {
  const writer = new MessageWriter(Buffer.allocUnsafe(MESSAGE_OCTETS))
  let count = 0
  let isFirst = true
  const begin = (): void => {
    writer.reset(MESSAGE_OCTETS)
    writer.u16(query.id)
    writer.u16(QR_AA | (query.rd ? RD : 0))
    for (const number of [isFirst ? 1 : 0, 0, 0, 0]) writer.u16(number)
    if (isFirst) writer.question(query.question[0]!)
    count = 0
  }
  const end = (): Buffer => {
    writer.octets.writeUInt16BE(count, 6)
    isFirst = false
    return Buffer.from(writer.octets.subarray(0, writer.at))
  }
  begin()
  for (const record of records) {
    const wire = toWire(record)
    if (!writer.record(wire)) {
      // A record that alone is larger than a message has one of its own.
      if (count > 0) yield end()
      begin()
      if (!writer.record(wire)) {
        yield writeLarge(query, wire, isFirst)
        isFirst = false
        begin()
        continue
      }
    }
    count++
  }
  if (count > 0) yield end()
}

function writeLarge(query: Message, record: ResourceRecord, isFirst: boolean): Buffer {
  const question = isFirst ? query.question : []
  return encodeMessage({ ...replyHead(query, 0), aa: true, question, answer: [record] })
}

/** A record of a checked zone as octets. */
export function toWire({ owner, type, ttl, data }: ZoneRecord): ResourceRecord {
  const number = typeNumber(type)
  const name = parseName(owner)
  const rdata = number === undefined ? 'no such type' : parseRdata(number, data)
  if (number === undefined || typeof name === 'string' || typeof rdata === 'string')
    throw new Error(`${owner} ${type} ${data}: ${typeof rdata === 'string' ? rdata : name}`)
  return { owner: name, type: number, class: CLASS.IN, ttl, rdata: rdata.wire }
}

/**
 * The one message that answers an IXFR over UDP: all of it where that fits, else the SOA alone, which tells the
 * client to come over TCP (RFC 1995 §2).
 */
export function writeDatagram(
  query: Message,
  version: Version,
  records: Iterable<ZoneRecord>,
  reserveOctets: number,
): Buffer {
  const limit = Math.max(UDP_OCTETS, Math.min(query.edns?.payloadSize ?? 0, EDNS_OCTETS)) - reserveOctets
  const [first, ...more] = takeTwo(writeMessages(query, records))
  if (first !== undefined && more.length === 0 && first.length <= limit) return first
  return [...writeMessages(query, [soaOf(version)])][0]!
}

function takeTwo(messages: Generator<Buffer>): Buffer[] {
  const taken: Buffer[] = []
  for (const message of messages) if (taken.push(message) === 2) break
  return taken
}

/** A whole answer without records. */
export function replyTo(query: Message, rcode: number): Buffer {
  return encodeMessage({ ...replyHead(query, rcode), question: query.question.slice(0, 1) })
}

/** Answer to what is no message: its id and opcode, and FORMERR. */
export function replyHeader(message: Uint8Array, rcode: number): Buffer {
  const decoded = decodeMessage(message)
  if (typeof decoded !== 'string') return replyTo(decoded, rcode)
  const reply = Buffer.alloc(HEADER)
  reply.set(message.subarray(0, 3))
  reply[2] = (reply[2]! & 0x79) | 0x80
  reply[3] = rcode
  return reply
}

function replyHead({ id, opcode, rd, edns }: Message, rcode: number): Message {
  return {
    id,
    opcode,
    rcode,
    ...{ qr: true, aa: false, tc: false, rd, ra: false, ad: false, cd: false },
    question: [],
    answer: [],
    authority: [],
    additional: [],
    ...(edns === undefined
      ? {}
      : { edns: { payloadSize: EDNS_OCTETS, version: 0, dnssecOk: edns.dnssecOk, options: [] } }),
  }
}
