import type { Steering } from '#dns/pools/steering.ts'
import { Proof } from './dnssec/proof.ts'
import { AnswerOptions, type EdnsPolicy, PLAIN_EDNS } from './edns.ts'
import { createLookup, type Lookup, lookup } from './lookup.ts'
import { createQuery, HEADER, type Query, readQuery } from './query.ts'
import { ANCOUNT, ARCOUNT, NSCOUNT, Response } from './response.ts'
import type { RRset } from './rrset.ts'
import { CLASS, isMetaType, OPCODE, RCODE, TYPE } from './wire/types.ts'
import type { Zones } from './zone.ts'

/** How a query came, and how much an answer may take that way. */
export type Transport = {
  readonly protocol: Protocol
  /** largest answer over UDP in octets, which EDNS also tells the client to be what we take */
  readonly udpPayload: number
  /** what the OPT record tells; `PLAIN_EDNS` when absent */
  readonly edns?: EdnsPolicy
  /** signed messages, and those that move or change zones, are answered elsewhere */
  readonly hasElsewhere?: boolean
  /** octets that a signature will take */
  readonly reserveOctets?: number
}

/** Not answered here: the message is signed, or it moves or changes a zone. */
export const ELSEWHERE = -1

export type Protocol = 'udp' | 'tcp' | 'tls' | 'https'

/** Who asks, and when: what an answer depends on beside the query. */
export type Asking = {
  /** 4 or 16 octets */
  client: Uint8Array
  /** since 1970 */
  readonly nowMs: number
  /** from 0 to less than 1, by chance: whose turn it is among members of a pool */
  readonly draw: number
  /** what the client's network gets after too many answers; cookies that we gave, and connections, are exempt */
  limited: 'no' | 'truncated' | 'nothing'
  /** absent: clients of pools get every address */
  steering?: Steering
}

const NOBODY: Asking = { client: new Uint8Array(4), nowMs: 0, draw: 0, limited: 'no' }

/** Largest message over TCP: the length before it has two octets (RFC 1035 §4.2.2). */
export const TCP_LIMIT = 65_535

/** Largest message over UDP without EDNS (RFC 1035 §4.2.1). */
const UDP_LIMIT = 512

const FLAGS = 2
const QR = 0x80

// Answers are written one after the other, never two at a time: nothing is allocated for a query.
const query = createQuery()
const response = new Response()
const proof = new Proof(response, query)
const options = new AnswerOptions()
const found = createLookup()

/**
 * Answer one message.
 *
 * @param message holds the query in its first `length` octets
 * @param out for the answer: `udpPayload` octets or more for UDP, 65535 for TCP; not the buffer of `message`
 * @returns octets of the answer in `out`; 0 when there is none to give (RFC 8906 §3.2: only to what is no query);
 *   `ELSEWHERE`
 */
export function answer(
  zones: Zones,
  message: Uint8Array,
  length: number,
  transport: Transport,
  out: Uint8Array,
  asking: Asking = NOBODY,
): number {
  if (length < HEADER || (message[FLAGS]! & QR) !== 0) return 0
  const { udpPayload, edns = PLAIN_EDNS } = transport
  readQuery(message, length, query)
  if (transport.hasElsewhere === true && isForElsewhere(query)) return ELSEWHERE
  options.length = 0
  const cookie = query.hasEdns ? options.begin(message, query, edns, asking) : null
  response.begin(out, message, query, limitOctets(transport, query), options.length)
  if (asking.limited !== 'no' && (cookie === null || cookie === 'not ours')) {
    // RFC 7873 §5.2.3: who takes part in cookies asks again with the one it is given here.
    if (cookie === 'not ours') return response.finish(RCODE.BADCOOKIE, query, udpPayload, options)
    if (asking.limited === 'nothing') return 0
    response.setTruncated()
    return response.finish(RCODE.NOERROR, query, udpPayload, options)
  }
  const rcode = query.fault === RCODE.NOERROR ? refuse(query) : query.fault
  if (rcode !== RCODE.NOERROR || query.questionEnd === HEADER)
    return response.finish(rcode, query, udpPayload, options, edns.pads)
  lookup(zones, query.name, query.qtype, found, query.dnssecOk ? 'of unsigned zones' : 'all')
  if (found.ready > 0) {
    response.setAuthoritative()
    if (!response.addReady(found.zone!.names.octets, found.ready)) response.setTruncated()
    return response.finish(RCODE.NOERROR, query, udpPayload, options, edns.pads)
  }
  const steered = steerPool(found, message, asking)
  proof.begin(transport.protocol !== 'udp')
  write(steered)
  return response.finish(proof.rcode(steered), query, udpPayload, options, edns.pads)
}

function isForElsewhere({ fault, hasTsig, opcode, qtype }: Query): boolean {
  if (hasTsig || opcode === OPCODE.NOTIFY || opcode === OPCODE.UPDATE) return true
  return fault === RCODE.NOERROR && (qtype === TYPE.AXFR || qtype === TYPE.IXFR)
}

/** RFC 6891 §6.2.3: what the client takes, but never less than 512; then what we give. */
function limitOctets(
  { protocol, udpPayload, reserveOctets = 0 }: Transport,
  { hasEdns, udpPayload: theirs }: Query,
): number {
  if (protocol !== 'udp') return TCP_LIMIT - reserveOctets
  return (hasEdns ? Math.min(Math.max(theirs, UDP_LIMIT), udpPayload) : UDP_LIMIT) - reserveOctets
}

/** The rcode for a question that no zone is asked about; NOERROR for the others. */
function refuse({ qclass, qtype, questionEnd }: Query): number {
  if (questionEnd === HEADER) return RCODE.NOERROR
  if (qclass !== CLASS.IN) return RCODE.REFUSED
  if (!isMetaType(qtype) || qtype === TYPE.ANY) return RCODE.NOERROR
  if (qtype === TYPE.AXFR || qtype === TYPE.IXFR) return RCODE.REFUSED
  return qtype === TYPE.MAILA || qtype === TYPE.MAILB ? RCODE.NOTIMP : RCODE.FORMERR
}

/** Let a pool choose for the client: the subnet that it names (RFC 7871 §7.2.1), else whoever asks. */
function steerPool(found: Lookup, message: Uint8Array, asking: Asking): Lookup {
  const { answers } = found
  const rrset = lastOf(answers)
  if (rrset?.members === undefined || asking.steering === undefined) return found
  const { client, draw, steering } = asking
  const at = query.hasEdns ? query.options.subnetAt : 0
  // RFC 7871 §7.1.2: no bits are a wish that no subnet be used; then it is the resolver who asks.
  const bits = at === 0 ? 0 : message[at + 2]!
  const address = bits === 0 ? client : readSubnet(message, at)
  const { members, scope } = steering.choose(rrset, { address, bits: bits || client.length * 8, draw })
  if (bits > 0) options.setScope(scope)
  if (members.length === rrset.members.length) return found
  if (members.length === 0)
    return {
      ...found,
      reason: 'nodata',
      answers: answers.slice(0, -1),
      authority: found.zone!.briefNegative,
    }
  answers[answers.length - 1] = rrset.members[members[0]!]!
  return found
}

/** An index below 0 would be the name of a property, which takes as long as the rest of the answer. */
function lastOf(rrsets: readonly RRset[]): RRset | undefined {
  return rrsets.length === 0 ? undefined : rrsets[rrsets.length - 1]
}

/** The address of a client subnet, the bits that are not told zero (RFC 7871 §6). */
function readSubnet(message: Uint8Array, at: number): Uint8Array {
  const address = new Uint8Array(message[at + 1] === 1 ? 4 : 16)
  const octets = (message[at + 2]! + 7) >> 3
  for (let i = 0; i < octets; i++) address[i] = message[at + 4 + i]!
  return address
}

/** Write the sections: all of answer and authority, or TC; of additional what fits. */
function write(found: Lookup): void {
  const { answers, authority, authoritative } = found
  if (authoritative) response.setAuthoritative()
  if (!writeAnswers(answers) || !writeRest(found)) response.setTruncated()
  else writeAdditional(authority ?? lastOf(answers))
}

function writeAnswers(answers: readonly RRset[]): boolean {
  for (let i = 0; i < answers.length; i++) {
    const rrset = answers[i]!
    // A DNAME is owned by an ancestor of the name when the alias made from it comes next.
    const isAbove = rrset.type === TYPE.DNAME && i + 1 < answers.length
    const ownerLength = isAbove ? rrset.ownerLength : undefined
    const start = response.at
    if (!response.add(rrset, ANCOUNT, ownerLength) || !proof.sign(rrset, ANCOUNT, ownerLength)) return false
    if (rrset.type !== TYPE.CNAME) continue
    response.follow(rrset, start)
    proof.follow(rrset)
  }
  return true
}

function writeRest(found: Lookup): boolean {
  const { authority: rrset } = found
  if (rrset === undefined) return proof.expand()
  if (proof.isAsked(found)) return proof.answer(found)
  if (!response.add(rrset, NSCOUNT, rrset.ownerLength)) return false
  return proof.sign(rrset, NSCOUNT, rrset.ownerLength) && proof.deny(found) && proof.expand()
}

/** RFC 2181 §9: what is missing here is no truncation, but for the glue of a referral (RFC 9471 §3.1). */
function writeAdditional(source: RRset | undefined): void {
  if (source === undefined) return
  for (const additional of source.additional) {
    const { rrset, labels, required } = additional
    const fits = labels === undefined ? response.add(rrset, ARCOUNT) : response.addBeside(rrset, labels)
    if (fits) proof.signBeside(additional)
    else if (required) response.setTruncated()
  }
}
