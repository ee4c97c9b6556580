import type { Fields } from './fields.ts'
import { listMembers } from './list.ts'
import { type Refusal, refuse } from './refusal.ts'

/** How long the content is: a number of octets, or how its end is found (RFC 9112 §6.3). */
export type BodyLength = number | 'chunked' | 'until close'

/** The body length of a request (RFC 9112 §6); 0 when there is none. */
export function requestBodyLength(fields: Fields, minor: 0 | 1): BodyLength | Refusal {
  const codings = fields.get('transfer-encoding')
  if (codings === undefined) return parseContentLength(fields) ?? 0
  return judgeCodings(fields, minor) ?? 'chunked'
}

/**
 * The body length of a response (RFC 9112 §6.3); refusals have status 502.
 *
 * @param method of the request that it answers
 */
export function responseBodyLength(
  fields: Fields,
  status: number,
  method: string,
  minor: 0 | 1,
): BodyLength | Refusal {
  if (!hasContent(method, status)) return 0
  if (fields.get('transfer-encoding') === undefined) {
    const length = parseContentLength(fields) ?? 'until close'
    return typeof length === 'object' ? refuse(502, length.reason) : length
  }
  const refusal = judgeCodings(fields, minor)
  if (refusal === undefined) return 'chunked'
  // RFC 9112 §6.3: without chunked at the end, the end of the connection ends the content. Only a name that is no coding
  // at all is passed over like that: content in a coding would reach the client without the word for it.
  return minor === 1 && isNoCoding(fields) ? 'until close' : refuse(502, refusal.reason)
}

/** Whether a response has content at all, whatever its fields say (RFC 9110 §6.4.1). */
export function hasContent(method: string, status: number): boolean {
  return method !== 'HEAD' && status >= 200 && status !== 204 && status !== 304
}

/**
 * Read Content-Length (RFC 9110 §8.6).
 *
 * A list of equal numbers may be taken or refused; it is refused.
 *
 * @returns octets, or undefined when there is no such field
 */
export function parseContentLength(fields: Fields): number | undefined | Refusal {
  const value = fields.get('content-length')
  if (value === undefined) return undefined
  if (!/^[0-9]{1,15}$/.test(value))
    return refuse(400, 'Content-Length is not one number of at most 15 digits')
  if (fields.all('content-length').length > 1) return refuse(400, 'there is more than one Content-Length')
  return Number(value)
}

/** Whether Transfer-Encoding names nothing that is registered, and no length stands beside it. */
function isNoCoding(fields: Fields): boolean {
  const codings = listMembers(fields.all('transfer-encoding'))
  return (
    codings.length === 1 &&
    /^[a-z]+$/i.test(codings[0]!) &&
    !/^(?:x-)?(?:chunked|compress|deflate|gzip|identity|br|zstd)$/i.test(codings[0]!) &&
    fields.get('content-length') === undefined
  )
}

/** Judge Transfer-Encoding: undefined when it is exactly chunked. */
function judgeCodings(fields: Fields, minor: 0 | 1): Refusal | undefined {
  // RFC 9112 §6.1: framing of an HTTP/1.0 message with Transfer-Encoding is faulty.
  if (minor === 0) return refuse(400, 'HTTP/1.0 has no Transfer-Encoding')
  // RFC 9112 §6.3: both lengths present is how requests are smuggled.
  if (fields.get('content-length') !== undefined) {
    return refuse(400, 'Content-Length and Transfer-Encoding are both present')
  }
  const codings = listMembers(fields.all('transfer-encoding')).map((coding) => coding.toLowerCase())
  if (codings.length === 1 && codings[0] === 'chunked') return undefined
  if (codings.at(-1) !== 'chunked') return refuse(400, 'chunked is not the last transfer coding')
  if (codings.indexOf('chunked') < codings.length - 1) return refuse(400, 'chunked is applied more than once')
  return refuse(501, 'a transfer coding other than chunked is not understood')
}
