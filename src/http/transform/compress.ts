import type { Exchange, Request, ResponseHead, Source } from '../exchange.ts'
import type { Coding } from '../wire/accept-encoding.ts'
import { type Fields, fieldsOf, NameSet } from '../wire/fields.ts'
import { hasToken, listMembers } from '../wire/list.ts'
import { sourceOf } from '../wire/octets-source.ts'
import { CompressedContent, compressAtOnce } from './compressed.ts'
import { encode } from './encode.ts'
import { Passing, type Response, type Step } from './passing.ts'

/** At most so many responses are compressed at a time, each with about 1 MiB; more go out as they are. */
const LIMIT_COMPRESSORS = 128

/** 16 KiB: up to there it takes at most 0.2 ms, less than the way to another thread and back. */
const AT_ONCE_OCTETS = 16_384

/** Compressors of all routes. */
let compressors = 0

/** Compress what is worth it for clients that accept it (RFC 9110 §12.5.3). */
export const compress: Step = (exchange: Exchange) => {
  const { request } = exchange
  return new Passing(exchange, request, (head, body) => compressResponse(request, head, body))
}

function compressResponse(request: Request, head: ResponseHead, body: Source | Uint8Array | null): Response {
  const { coding, varies } = encode(request, head)
  if (!varies) return { head, body }
  const compressed = coding === null || body === null ? null : compressBody(body, coding)
  if (compressed === null) return { head: { ...head, fields: variedFields(head, request) }, body }
  const lengthOctets = compressed instanceof Uint8Array ? compressed.length : null
  return { head: { ...head, fields: codedFields(head.fields, coding!), lengthOctets }, body: compressed }
}

/** The content in a coding, or null when it is better sent as it is. */
function compressBody(body: Source | Uint8Array, coding: Coding): Source | Uint8Array | null {
  if (body instanceof Uint8Array && body.length <= AT_ONCE_OCTETS) {
    const content = compressAtOnce(body, coding)
    return content.length < body.length ? content : null
  }
  if (compressors >= LIMIT_COMPRESSORS) return null
  compressors++
  return new CompressedContent(
    body instanceof Uint8Array ? sourceOf(body) : body,
    coding,
    () => compressors--,
  )
}

/** The answer to another client may be compressed; what is not says so too (RFC 9110 §12.5.5). */
function variedFields({ status, fields }: ResponseHead, request: Request): Fields {
  const pairs = pairsOf(fields).map(([name, value]): [string, string] => {
    return status === 304 && name.toLowerCase() === 'etag' ? [name, heldTag(value, request)] : [name, value]
  })
  return fieldsOf([...pairs, ...varyOf(fields)])
}

/**
 * RFC 9111 §4.3.4: a strong validator in 304 frees no response that was stored with the weak one. The client gets the one
 * that it holds.
 */
function heldTag(tag: string, request: Request): string {
  const held = listMembers(request.fields.all('if-none-match'))
  return held.includes(`W/${tag}`) && !held.includes(tag) ? `W/${tag}` : tag
}

function codedFields(fields: Fields, coding: Coding): Fields {
  const pairs: [string, string][] = []
  for (const [name, value] of pairsOf(fields)) {
    if (OF_PLAIN_CONTENT.has(name, 0, name.length)) continue
    // RFC 9110 §8.8.1: equal octets are what a strong validator promises.
    const isStrong = name.toLowerCase() === 'etag' && !value.startsWith('W/')
    pairs.push([name, isStrong ? `W/${value}` : value])
  }
  return fieldsOf([...pairs, ['Content-Encoding', coding], ...varyOf(fields)])
}

/** What is true of the octets before they were compressed only (RFC 9530 §2, §3; ranges would be of other octets). */
const OF_PLAIN_CONTENT = new NameSet([
  'accept-ranges',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
])

function varyOf(fields: Fields): [string, string][] {
  const hasAlready = hasToken(fields, 'vary', '*') || hasToken(fields, 'vary', 'accept-encoding')
  return hasAlready ? [] : [['Vary', 'Accept-Encoding']]
}

function pairsOf(fields: Fields): [string, string][] {
  const pairs: [string, string][] = []
  fields.each((name, value) => pairs.push([name, value]))
  return pairs
}
