import { takeName } from './field.ts'
import { ROOT } from './name.ts'
import { attempt, encodeInteger, Fault, OctetReader } from './octets.ts'
import { expandRdata } from './rdata.ts'
import { TYPE } from './types.ts'
import { MessageWriter, type Question, type ResourceRecord } from './writer.ts'

/** A whole message (RFC 1035 §4.1) with its OPT record taken apart (RFC 6891). Names are uncompressed. */
export type Message = {
  readonly id: number
  readonly opcode: number
  /** 0 to 15, to 4095 with `edns` */
  readonly rcode: number
  readonly qr: boolean
  readonly aa: boolean
  readonly tc: boolean
  readonly rd: boolean
  readonly ra: boolean
  readonly ad: boolean
  readonly cd: boolean
  readonly question: readonly Question[]
  readonly answer: readonly ResourceRecord[]
  readonly authority: readonly ResourceRecord[]
  /** without the OPT record */
  readonly additional: readonly ResourceRecord[]
  readonly edns?: Edns
}

export type Edns = {
  /** octets that the sender can receive over UDP */
  readonly payloadSize: number
  readonly version: number
  readonly dnssecOk: boolean
  readonly options: readonly EdnsOption[]
}

export type EdnsOption = { readonly code: number; readonly data: Uint8Array }

/** Header words of 16 bits: id, flags and four counts (RFC 1035 §4.1.1). */
const HEADER_WORDS = 6
/** Masks of the flags (RFC 1035 §4.1.1; RFC 4035 §3 for AD and CD). */
const FLAG = { qr: 0x8000, aa: 0x0400, tc: 0x0200, rd: 0x0100, ra: 0x0080, ad: 0x0020, cd: 0x0010 } as const
const OPCODE_SHIFT = 11
const OPCODE_MASK = 0x0f
/** The upper eight bits of an rcode are in the OPT record (RFC 6891 §6.1.3). */
const RCODE_MASK = 0x0f
const DNSSEC_OK = 0x8000
const MESSAGE_LIMIT = 0xffff

/**
 * Read a message.
 *
 * @returns the message, or a text that says at which octet it stops being one: what a FORMERR answers
 */
export function decodeMessage(octets: Uint8Array): Message | string {
  return attempt(() => {
    const reader = new OctetReader(octets, 0, octets.length, true)
    const [id, flags, ...counts] = Array.from({ length: HEADER_WORDS }, () => reader.u16())
    const [qdcount, ancount, nscount, arcount] = counts as [number, number, number, number]
    const question = readMany(qdcount, () => readQuestion(reader))
    const answer = readMany(ancount, () => readRecord(reader))
    const authority = readMany(nscount, () => readRecord(reader))
    const last = readMany(arcount, () => readRecord(reader))
    if (reader.left > 0) throw new Fault(`${reader.left} octets follow the message`)
    if ([...answer, ...authority].some(isOpt)) throw new Fault('OPT stands outside the additional section')
    const opts = last.filter(isOpt)
    if (opts.length > 1)
      throw new Fault(`There are ${opts.length} OPT records, and one is the most (RFC 6891 §6.1.1)`)
    const opt = opts[0]
    const upperRcode = opt ? opt.ttl >>> 24 : 0
    return {
      id: id!,
      ...readFlags(flags!),
      rcode: upperRcode * 16 + (flags! & RCODE_MASK),
      question,
      answer,
      authority,
      additional: last.filter((record) => !isOpt(record)),
      ...(opt && { edns: readEdns(opt) }),
    }
  })
}

/** Each of them takes octets, so the message's length is the limit. */
function readMany<Item>(count: number, read: () => Item): Item[] {
  const items: Item[] = []
  for (let i = 0; i < count; i++) items.push(read())
  return items
}

function readFlags(flags: number): Pick<Message, 'opcode' | keyof typeof FLAG> {
  const has = (flag: keyof typeof FLAG) => (flags & FLAG[flag]) !== 0
  return {
    opcode: (flags >> OPCODE_SHIFT) & OPCODE_MASK,
    qr: has('qr'),
    aa: has('aa'),
    tc: has('tc'),
    rd: has('rd'),
    ra: has('ra'),
    ad: has('ad'),
    cd: has('cd'),
  }
}

function readQuestion(reader: OctetReader): Question {
  return { name: takeName(reader), type: reader.u16(), class: reader.u16() }
}

function readRecord(reader: OctetReader): ResourceRecord {
  const head = { owner: takeName(reader), type: reader.u16(), class: reader.u16(), ttl: reader.u32() }
  const length = reader.u16()
  const at = reader.at
  reader.take(length)
  return { ...head, rdata: expandRdata(head.type, reader.octets, at, reader.at) }
}

function isOpt(record: ResourceRecord): boolean {
  return record.type === TYPE.OPT
}

function readEdns({ owner, class: payloadSize, ttl, rdata }: ResourceRecord): Edns {
  if (owner.length !== 1) throw new Fault('The owner of OPT is not the root (RFC 6891 §6.1.2)')
  const reader = new OctetReader(rdata)
  const options: EdnsOption[] = []
  while (reader.left > 0) options.push({ code: reader.u16(), data: reader.take(reader.u16()) })
  return { payloadSize, version: (ttl >>> 16) & 0xff, dnssecOk: (ttl & DNSSEC_OK) !== 0, options }
}

const scratch = new MessageWriter(Buffer.alloc(MESSAGE_LIMIT))

/**
 * Write a message, its names compressed.
 *
 * @throws {RangeError} when it takes more than 65535 octets, or its rcode more than 15 without `edns`: a bug in the caller
 */
export function encodeMessage(message: Message): Buffer {
  const { question, answer, authority, additional, edns, rcode } = message
  const last = edns ? [...additional, writeEdns(edns, rcode)] : additional
  if (rcode > RCODE_MASK && edns === undefined)
    throw new RangeError(`Rcode ${rcode} needs EDNS (RFC 6891 §6.1.3)`)
  scratch.reset()
  scratch.u16(message.id)
  scratch.u16(writeFlags(message))
  for (const section of [question, answer, authority, last]) scratch.u16(section.length)
  const isWhole =
    question.every((item) => scratch.question(item)) &&
    [...answer, ...authority, ...last].every((record) => scratch.record(record))
  if (!isWhole) throw new RangeError(`The message takes more than ${MESSAGE_LIMIT} octets`)
  return Buffer.from(scratch.octets.subarray(0, scratch.at))
}

function writeFlags(message: Message): number {
  const names = Object.keys(FLAG) as (keyof typeof FLAG)[]
  const bits = names.reduce((flags, name) => (message[name] ? flags | FLAG[name] : flags), 0)
  return bits | (message.opcode << OPCODE_SHIFT) | (message.rcode & RCODE_MASK)
}

function writeEdns({ payloadSize, version, dnssecOk, options }: Edns, rcode: number): ResourceRecord {
  const rdata = Buffer.concat(
    options.flatMap(({ code, data }) => [encodeInteger(code, 2), encodeInteger(data.length, 2), data]),
  )
  const ttl = (rcode >> 4) * 0x1000000 + version * 0x10000 + (dnssecOk ? DNSSEC_OK : 0)
  return { owner: ROOT, type: TYPE.OPT, class: payloadSize, ttl, rdata }
}
