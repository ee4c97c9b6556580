import type { Exchange, Handler, Source } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { TCP_LIMIT } from './answer.ts'
import { decodeMessage } from './wire/message.ts'
import { RCODE, TYPE } from './wire/types.ts'

/** Answer one query of a client's address; null when it is none. */
export type AnswerHttps = (query: Uint8Array, address: string) => Buffer | null

const MEDIA_TYPE = 'application/dns-message'
const SOA_MINIMUM_FROM_END = 4

/** Answer DNS over HTTPS (RFC 8484), GET and POST. */
export function createDnsOverHttps(answer: AnswerHttps): Handler {
  return (exchange) => {
    exchange.note.answeredBy = 'dns'
    const { method, target, fields, body } = exchange.request
    if (method === 'GET' || method === 'HEAD') return respond(exchange, readTarget(target), answer)
    if (method !== 'POST')
      return refuse(exchange, 405, 'Ask by GET or by POST (RFC 8484 §4.1).', [['Allow', 'GET, HEAD, POST']])
    const type = fields.get('content-type')?.split(';')[0]?.trim().toLowerCase()
    if (type !== MEDIA_TYPE)
      return refuse(exchange, 415, `Content of ${MEDIA_TYPE} is wanted (RFC 8484 §4.1).`)
    readBody(body).then(
      (query) => respond(exchange, query, answer),
      () => exchange.abort('client left'),
    )
  }
}

function respond(exchange: Exchange, query: Buffer | string, answer: AnswerHttps): void {
  if (typeof query === 'string') return refuse(exchange, query === TOO_LONG ? 413 : 400, query)
  const octets = answer(query, exchange.request.client.address)
  if (octets === null) return refuse(exchange, 400, 'A DNS query is wanted (RFC 8484 §4.1).')
  const fields = fieldsOf([
    ['Content-Type', MEDIA_TYPE],
    ['Cache-Control', `max-age=${freshSeconds(octets)}`],
  ])
  exchange.respond({ status: 200, fields, lengthOctets: octets.length }, octets)
}

function refuse(
  exchange: Exchange,
  status: number,
  detail: string,
  fields: readonly (readonly [string, string])[] = [],
): void {
  respondPage(exchange, { status, detail, fault: 'client', fields })
}

const TOO_LONG = `A query has at most ${TCP_LIMIT} octets.`

/** RFC 8484 §4.1: base64url without padding. */
function readTarget(target: string): Buffer | string {
  const at = target.indexOf('?')
  const text = at < 0 ? null : new URLSearchParams(target.slice(at + 1)).get('dns')
  if (text === null) return 'A query is wanted: ?dns= and a DNS message in base64url (RFC 8484 §4.1).'
  if (!/^[\w-]+$/.test(text)) return 'The message is not base64url without padding (RFC 8484 §4.1).'
  return Buffer.from(text, 'base64url')
}

async function readBody(body: Source | null): Promise<Buffer | string> {
  const parts: Buffer[] = []
  let length = 0
  while (body !== null) {
    const octets = await body.read(TCP_LIMIT)
    if (octets === null) break
    length += octets.length
    if (length > TCP_LIMIT) {
      body.cancel('limit')
      return TOO_LONG
    }
    // A copy: the source may use its memory again.
    parts.push(Buffer.from(octets))
  }
  return Buffer.concat(parts)
}

/** RFC 8484 §5.1: no longer than the smallest TTL of the answer; of a negative one what RFC 2308 §5 allows. */
function freshSeconds(octets: Uint8Array): number {
  const message = decodeMessage(octets)
  if (typeof message === 'string') return 0
  const { rcode, answer, authority } = message
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) return 0
  if (answer.length > 0) return Math.min(...answer.map(({ ttl }) => ttl))
  const soa = authority.find(({ type }) => type === TYPE.SOA)
  if (soa === undefined) return 0
  const minimum = Buffer.from(soa.rdata).readUInt32BE(soa.rdata.length - SOA_MINIMUM_FROM_END)
  return Math.min(soa.ttl, minimum)
}
