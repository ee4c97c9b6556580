import { LABEL_LIMIT, NAME_LIMIT } from './wire/name.ts'
import { OPCODE, OPTION, RCODE, TYPE } from './wire/types.ts'

/** Octets of a message's header (RFC 1035 §4.1.1). */
export const HEADER = 12

const FLAGS = 2
const QDCOUNT = 4
const ANCOUNT = 6
const NSCOUNT = 8
const ARCOUNT = 10
/** The two high bits of a length octet that make it a pointer (RFC 1035 §4.1.4). */
const POINTER = 0xc0

/** What of a query matters to its answer. One object is filled again and again. */
export type Query = {
  /** NOTIMP for other opcodes, FORMERR for what cannot be read, BADVERS for versions of EDNS, else NOERROR */
  fault: number
  /** where the question ends; 12 where it could not be read */
  questionEnd: number
  /** the qname in wire form and lower case, 255 octets of which `nameLength` count */
  readonly name: Uint8Array
  nameLength: number
  qtype: number
  qclass: number
  /** whether there is an OPT record, the client's UDP payload in octets and the DO flag (RFC 6891 §6.1) */
  hasEdns: boolean
  udpPayload: number
  dnssecOk: boolean
  /** CO: the client knows compact denial, and wants NXDOMAIN with it (RFC 9824 §5.1) */
  compactOk: boolean
  opcode: number
  /** whether there is a TSIG record (RFC 8945) */
  hasTsig: boolean
  readonly options: Options
}

/** Options of a query's OPT record that we know: where their data begins in the message; 0 where there is none. */
export type Options = {
  nsidAt: number
  cookieAt: number
  cookieLength: number
  subnetAt: number
  subnetLength: number
  keepaliveAt: number
  paddingAt: number
}

/** An object for `readQuery` to fill. */
export function createQuery(): Query {
  return {
    fault: RCODE.NOERROR,
    questionEnd: HEADER,
    name: new Uint8Array(NAME_LIMIT),
    nameLength: 0,
    qtype: 0,
    qclass: 0,
    hasEdns: false,
    udpPayload: 0,
    dnssecOk: false,
    compactOk: false,
    opcode: 0,
    hasTsig: false,
    options: {
      nsidAt: 0,
      cookieAt: 0,
      cookieLength: 0,
      subnetAt: 0,
      subnetLength: 0,
      keepaliveAt: 0,
      paddingAt: 0,
    },
  }
}

/**
 * Read a query with one question. Records other than OPT are skipped.
 *
 * @param length octets of the message in `message`, at least 12
 * @param query what was read; with a fault, as far as it could be read
 */
export function readQuery(message: Uint8Array, length: number, query: Query): void {
  query.fault = RCODE.NOERROR
  query.questionEnd = HEADER
  query.hasEdns = query.dnssecOk = query.compactOk = query.hasTsig = false
  query.opcode = (message[FLAGS]! >> 3) & 0x0f
  const questions = read16(message, QDCOUNT)
  if (questions > 1 || (questions === 1 && !readQuestion(message, length, query))) query.fault = RCODE.FORMERR
  else readRecords(message, length, query)
  if (query.opcode !== OPCODE.QUERY) {
    // Another opcode may have another form; where it has that of a query, an OPT is answered with one (RFC 6891 §6.1.1).
    if (query.fault === RCODE.FORMERR) query.hasEdns = false
    query.questionEnd = HEADER
    query.fault = RCODE.NOTIMP
  }
  // RFC 7873 §5.4: no question but a cookie asks for a cookie.
  if (query.questionEnd === HEADER && (!query.hasEdns || query.options.cookieAt === 0))
    query.fault ||= RCODE.FORMERR
}

/** RFC 1035 §4.1.2. Nothing stands before the question's name, so a pointer in it cannot lead anywhere. */
function readQuestion(message: Uint8Array, length: number, query: Query): boolean {
  const name = query.name
  let at = HEADER
  let size = 0
  while (true) {
    if (at >= length) return false
    const label = message[at]!
    if (label > LABEL_LIMIT || size + 1 + label > NAME_LIMIT || at + label >= length) return false
    name[size++] = label
    at++
    if (label === 0) break
    for (const end = at + label; at < end; at++) name[size++] = lower(message[at]!)
  }
  if (at + 4 > length) return false
  query.nameLength = size
  query.qtype = read16(message, at)
  query.qclass = read16(message, at + 2)
  query.questionEnd = at + 4
  return true
}

/** RFC 4343 §3: letters of ASCII, whatever the locale. */
function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet
}

/** Walk over the records behind the question; every one takes 11 octets or more, so the message bounds the walk. */
function readRecords(message: Uint8Array, length: number, query: Query): void {
  const others = read16(message, ANCOUNT) + read16(message, NSCOUNT)
  const records = others + read16(message, ARCOUNT)
  let at = query.questionEnd
  for (let i = 0; i < records && at <= length; i++) {
    const fixed = skipName(message, at, length)
    if (fixed + 10 > length) return void (query.fault = RCODE.FORMERR)
    const isRoot = fixed === at + 1
    at = fixed + 10 + read16(message, fixed + 8)
    const type = read16(message, fixed)
    if (type === TYPE.TSIG) query.hasTsig = true
    if (type !== TYPE.OPT) continue
    // RFC 6891 §6.1.1: one OPT, at the root, in the additional section.
    if (query.hasEdns || !isRoot || i < others || at > length) query.fault = RCODE.FORMERR
    else readOpt(message, fixed, query)
  }
  if (at !== length) query.fault = RCODE.FORMERR
}

/** Where the name at `at` ends; past `length` where it does not. */
function skipName(message: Uint8Array, at: number, length: number): number {
  while (at < length) {
    const label = message[at]!
    if (label === 0) return at + 1
    if (label >= POINTER) return at + 2
    if (label > LABEL_LIMIT) break
    at += label + 1
  }
  return length + 1
}

/** RFC 6891 §6.1.2 and §6.1.3; `at` is behind the name. Unknown options and flags mean nothing to us. */
function readOpt(message: Uint8Array, at: number, query: Query): void {
  const version = message[at + 5]!
  query.hasEdns = true
  query.udpPayload = read16(message, at + 2)
  query.dnssecOk = (message[at + 6]! & 0x80) !== 0
  query.compactOk = (message[at + 6]! & 0x40) !== 0
  const end = at + 10 + read16(message, at + 8)
  const { options } = query
  options.nsidAt = options.cookieAt = options.subnetAt = options.keepaliveAt = options.paddingAt = 0
  // RFC 6891 §6.1.3: what the options of another version look like is not known.
  if (version > 0) return void (query.fault ||= RCODE.BADVERS)
  let option = at + 10
  while (option + 4 <= end) {
    const size = read16(message, option + 2)
    if (!noteOption(message, option + 4, size, options)) query.fault = RCODE.FORMERR
    option += 4 + size
  }
  if (option !== end) query.fault = RCODE.FORMERR
}

/** Remember an option that we know; whether its data has the right form. Of several with one code the first counts. */
function noteOption(message: Uint8Array, at: number, length: number, options: Options): boolean {
  switch (read16(message, at - 4)) {
    case OPTION.NSID:
      options.nsidAt ||= at
      return true
    case OPTION.COOKIE:
      if (options.cookieAt === 0) options.cookieLength = length
      options.cookieAt ||= at
      // RFC 7873 §5.2.2: a client's part alone, or with a server's of 8 to 32 octets.
      return length === 8 || (length >= 16 && length <= 40)
    case OPTION.SUBNET:
      if (options.subnetAt === 0) options.subnetLength = length
      options.subnetAt ||= at
      return isSubnet(message, at, length)
    case OPTION.KEEPALIVE:
      options.keepaliveAt ||= at
      return true
    case OPTION.PADDING:
      options.paddingAt ||= at
      return true
    default:
      return true
  }
}

/** RFC 7871 §6: as many octets as the source prefix needs, no bit set behind it, no scope in a query. */
function isSubnet(message: Uint8Array, at: number, length: number): boolean {
  const family = read16(message, at)
  const source = message[at + 2]!
  const octets = (source + 7) >> 3
  // Some clients that want no subnet to be used send the family 0.
  const widest = family === 1 ? 32 : family === 2 ? 128 : 0
  if (length < 4 || family > 2 || source > widest || message[at + 3] !== 0 || length !== 4 + octets)
    return false
  const spare = octets * 8 - source
  return octets === 0 || (message[at + 3 + octets]! & ((1 << spare) - 1)) === 0
}

function read16(message: Uint8Array, at: number): number {
  return (message[at]! << 8) | message[at + 1]!
}
