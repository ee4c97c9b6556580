import { skipTarget, skipToken, skipValue } from './characters.ts'
import { type Fields, type NameSet, TextFields } from './fields.ts'
import { type Refusal, refuse } from './refusal.ts'

/** How long a head, and its target, may be. */
export type HeadLimits = {
  readonly headerOctets: number
  readonly headerCount: number
  readonly targetOctets: number
}

/** The head of a request as it was sent, before anybody judged what it asks for. */
export type ParsedRequest = {
  readonly kind: 'request'
  readonly method: string
  readonly target: string
  /** 0 for HTTP/1.0, else 1: a higher minor version is answered as 1.1 (RFC 9110 §2.5) */
  readonly minor: 0 | 1
  readonly fields: Fields
  /** the whole head as it was sent, Latin-1 */
  readonly text: string
}

export type ParsedResponse = {
  readonly kind: 'response'
  /** 100 to 999 */
  readonly status: number
  readonly minor: 0 | 1
  readonly fields: Fields
  /** the whole head as it was sent, Latin-1 */
  readonly text: string
}

/**
 * Parse the head of a request (RFC 9112 §3, §5).
 *
 * Strict: what two programs could read in two ways is refused.
 *
 * @param start offset of the first octet
 * @param end offset after the empty line, as `Input.findHeadEnd` says
 */
export function parseRequestHead(
  octets: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): ParsedRequest | Refusal {
  if (end - start > limits.headerOctets) return headTooLarge(limits)
  const text = octets.toString('latin1', start, end)
  const methodEnd = skipToken(text, 0)
  if (methodEnd === 0 || text.charCodeAt(methodEnd) !== SP)
    return refuse(400, 'the method is no token with one space after it')
  const targetStart = methodEnd + 1
  const targetEnd = skipTarget(text, targetStart)
  if (targetEnd - targetStart > limits.targetOctets) return targetTooLong(limits)
  if (targetEnd === targetStart || text.charCodeAt(targetEnd) !== SP) {
    return refuse(400, 'the request target is not written in visible ASCII with one space after it')
  }
  const version = parseVersion(text, targetEnd + 1)
  if (typeof version !== 'number') return version
  const fieldsStart = targetEnd + 1 + VERSION_LENGTH
  if (!text.startsWith('\r\n', fieldsStart))
    return refuse(400, 'the request line does not end after the version')
  const fields = parseFieldLines(text, fieldsStart + 2, limits)
  if (!(fields instanceof TextFields)) return fields
  return {
    kind: 'request',
    method: text.slice(0, methodEnd),
    target: text.slice(targetStart, targetEnd),
    minor: version,
    fields,
    text,
  }
}

/** Parse the head of a response (RFC 9112 §4, §5); refusals have the status of a gateway, 502. See `parseRequestHead`. */
export function parseResponseHead(
  octets: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): ParsedResponse | Refusal {
  if (end - start > limits.headerOctets)
    return refuse(502, `the head is larger than ${limits.headerOctets} octets`)
  const text = octets.toString('latin1', start, end)
  const version = parseVersion(text, 0)
  if (typeof version !== 'number') return refuse(502, version.reason)
  const status = Number(text.slice(VERSION_LENGTH + 1, VERSION_LENGTH + 4))
  const afterStatus = VERSION_LENGTH + 4
  if (
    text.charCodeAt(VERSION_LENGTH) !== SP ||
    !/^[1-9][0-9]{2}$/.test(text.slice(VERSION_LENGTH + 1, afterStatus))
  ) {
    return refuse(502, 'the status is not a space and three digits')
  }
  // RFC 9112 §4: the space before an empty reason is often left out by servers.
  const reasonEnd = text.charCodeAt(afterStatus) === SP ? skipValue(text, afterStatus) : afterStatus
  if (!text.startsWith('\r\n', reasonEnd)) return refuse(502, 'the status line does not end after the reason')
  const fields = parseFieldLines(text, reasonEnd + 2, limits)
  if (!(fields instanceof TextFields)) return refuse(502, fields.reason)
  return { kind: 'response', status, minor: version, fields, text }
}

/**
 * Parse field lines and the empty line after them (RFC 9112 §5).
 *
 * @param text Latin-1, ends with the empty line
 * @param start offset of the first field line
 * @param dropped names to leave out, such as those that may not stand in trailers
 */
export function parseFieldLines(
  text: string,
  start: number,
  limits: HeadLimits,
  dropped?: NameSet,
): TextFields | Refusal {
  const offsets: number[] = []
  const last = text.length - 2
  let count = 0
  let at = start
  while (at < last) {
    if (++count > limits.headerCount) return refuse(431, `there are more than ${limits.headerCount} fields`)
    const nameEnd = skipToken(text, at)
    if (nameEnd === at || text.charCodeAt(nameEnd) !== COLON) return refuseLine(text, at, nameEnd)
    let valueStart = nameEnd + 1
    while (isBlank(text.charCodeAt(valueStart))) valueStart++
    const lineEnd = skipValue(text, valueStart)
    if (text.charCodeAt(lineEnd) !== CR || text.charCodeAt(lineEnd + 1) !== LF) {
      return refuse(400, 'a field value holds a control character, or its line does not end with CRLF')
    }
    let valueEnd = lineEnd
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--
    if (dropped?.has(text, at, nameEnd) !== true) offsets.push(at, nameEnd, valueStart, valueEnd, lineEnd + 2)
    at = lineEnd + 2
  }
  if (at !== last || !text.endsWith('\r\n')) return refuse(400, 'the empty line after the fields is not CRLF')
  return new TextFields(text, offsets)
}

/** What is wrong already with a head that has not arrived whole, or undefined when it may still become right. */
export function judgePartialHead(
  octets: Buffer,
  start: number,
  end: number,
  limits: HeadLimits,
): Refusal | undefined {
  const first = octets[start]
  // Another protocol, such as TLS on a plain port, would otherwise wait for an empty line until time is up.
  if (first !== undefined && first !== CR && (first <= SP || first >= 127))
    return refuse(400, 'this is not HTTP')
  if (end - start <= limits.targetOctets) return undefined
  const lineEnd = octets
    .subarray(start, Math.min(end, start + limits.targetOctets + LONGEST_METHOD))
    .indexOf(LF)
  if (lineEnd < 0 && end - start > limits.targetOctets + LONGEST_METHOD) return targetTooLong(limits)
  return end - start > limits.headerOctets ? headTooLarge(limits) : undefined
}

const SP = 32
const COLON = 58
const CR = 13
const LF = 10
const VERSION_LENGTH = 'HTTP/1.1'.length
/** what stands beside the target in a request line is shorter than this for every method in use */
const LONGEST_METHOD = 64

function parseVersion(text: string, at: number): 0 | 1 | Refusal {
  const minor = text.charCodeAt(at + 7) - 48
  if (text.startsWith('HTTP/1.', at) && minor >= 0 && minor <= 9) return minor === 0 ? 0 : 1
  if (/^HTTP\/[0-9]\.[0-9]$/.test(text.slice(at, at + VERSION_LENGTH))) {
    return refuse(505, `the version is ${text.slice(at, at + VERSION_LENGTH)}, not HTTP/1.1 or HTTP/1.0`)
  }
  return refuse(400, 'the version is not written as HTTP/1.1')
}

function refuseLine(text: string, at: number, nameEnd: number): Refusal {
  if (isBlank(text.charCodeAt(at)))
    return refuse(400, 'a line begins with white space: fields are not folded')
  if (isBlank(text.charCodeAt(nameEnd))) return refuse(400, 'white space stands before the colon of a field')
  return refuse(400, 'a field name is no token with a colon after it')
}

function isBlank(c: number): boolean {
  return c === SP || c === 9
}

function headTooLarge(limits: HeadLimits): Refusal {
  return refuse(431, `the head is larger than ${limits.headerOctets} octets`)
}

function targetTooLong(limits: HeadLimits): Refusal {
  return refuse(414, `the request target is longer than ${limits.targetOctets} octets`)
}
