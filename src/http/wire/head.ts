import { skipTargetOctets, skipTokenOctets, skipValueOctets } from './characters.ts'
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
  const methodEnd = skipTokenOctets(octets, start)
  if (methodEnd === start || octets[methodEnd] !== SP)
    return refuse(400, 'the method is no token with one space after it')
  const targetStart = methodEnd + 1
  const targetEnd = skipTargetOctets(octets, targetStart)
  if (targetEnd - targetStart > limits.targetOctets) return targetTooLong(limits)
  if (targetEnd === targetStart || octets[targetEnd] !== SP) {
    return refuse(400, 'the request target is not written in visible ASCII with one space after it')
  }
  const version = parseVersion(octets, targetEnd + 1)
  if (typeof version !== 'number') return version
  const versionEnd = targetEnd + 1 + VERSION_LENGTH
  if (octets[versionEnd] !== CR || octets[versionEnd + 1] !== LF)
    return refuse(400, 'the request line does not end after the version')
  const text = octets.toString('latin1', start, end)
  const fields = readFieldLines({ octets, start, end, text }, versionEnd + 2, limits)
  if (!(fields instanceof TextFields)) return fields
  return {
    kind: 'request',
    method: text.slice(0, methodEnd - start),
    target: text.slice(targetStart - start, targetEnd - start),
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
  const version = parseVersion(octets, start)
  if (typeof version !== 'number') return refuse(502, version.reason)
  const statusStart = start + VERSION_LENGTH
  const status = parseStatus(octets, statusStart + 1)
  if (octets[statusStart] !== SP || !(status >= 100)) {
    return refuse(502, 'the status is not a space and three digits')
  }
  const afterStatus = statusStart + 4
  // RFC 9112 §4: the space before an empty reason is often left out by servers.
  const reasonEnd = octets[afterStatus] === SP ? skipValueOctets(octets, afterStatus) : afterStatus
  if (octets[reasonEnd] !== CR || octets[reasonEnd + 1] !== LF)
    return refuse(502, 'the status line does not end after the reason')
  const text = octets.toString('latin1', start, end)
  const fields = readFieldLines({ octets, start, end, text }, reasonEnd + 2, limits)
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
  const octets = Buffer.from(text, 'latin1')
  return readFieldLines({ octets, start: 0, end: octets.length, text }, start, limits, dropped)
}

/** Octets from `start` to `end`, and what they are as Latin-1. */
type Head = { readonly octets: Buffer; readonly start: number; readonly end: number; readonly text: string }

/** As `parseFieldLines` says; `from` counts from the begin of the octets, not of the text. */
function readFieldLines(
  head: Head,
  from: number,
  limits: HeadLimits,
  dropped?: NameSet,
): TextFields | Refusal {
  const { octets, start, text } = head
  const last = head.end - 2
  // No class of characters holds LF: this ends every loop below.
  if (octets[last] !== CR || octets[last + 1] !== LF)
    return refuse(400, 'the empty line after the fields is not CRLF')
  let length = 0
  let count = 0
  let at = from
  while (at < last) {
    if (++count > limits.headerCount) return refuse(431, `there are more than ${limits.headerCount} fields`)
    const nameEnd = skipTokenOctets(octets, at)
    if (nameEnd === at || octets[nameEnd] !== COLON) return refuseLine(octets, at, nameEnd)
    let valueStart = nameEnd + 1
    while (isBlank(octets[valueStart])) valueStart++
    const lineEnd = skipValueOctets(octets, valueStart)
    if (octets[lineEnd] !== CR || octets[lineEnd + 1] !== LF) {
      return refuse(400, 'a field value holds a control character, or its line does not end with CRLF')
    }
    let valueEnd = lineEnd
    while (valueEnd > valueStart && isBlank(octets[valueEnd - 1])) valueEnd--
    const nextLine = lineEnd + 2
    if (dropped?.has(text, at - start, nameEnd - start) !== true) {
      offsets[length++] = at - start
      offsets[length++] = nameEnd - start
      offsets[length++] = valueStart - start
      offsets[length++] = valueEnd - start
      offsets[length++] = nextLine - start
    }
    at = nextLine
  }
  if (at !== last) return refuse(400, 'the empty line after the fields is not CRLF')
  return new TextFields(text, offsets.slice(0, length))
}

/** Where the fields that are read now stand: what is kept is a copy that is no longer than it must be. */
const offsets: number[] = []

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
const ZERO = 48
const HTTP_1 = Buffer.from('HTTP/1.')
const VERSION_LENGTH = 'HTTP/1.1'.length
/** what stands beside the target in a request line is shorter than this for every method in use */
const LONGEST_METHOD = 64

function parseVersion(octets: Buffer, at: number): 0 | 1 | Refusal {
  let same = 0
  while (same < HTTP_1.length && octets[at + same] === HTTP_1[same]) same++
  const minor = octets[at + HTTP_1.length]! - ZERO
  if (same === HTTP_1.length && minor >= 0 && minor <= 9) return minor === 0 ? 0 : 1
  const version = octets.toString('latin1', at, at + VERSION_LENGTH)
  if (/^HTTP\/[0-9]\.[0-9]$/.test(version)) {
    return refuse(505, `the version is ${version}, not HTTP/1.1 or HTTP/1.0`)
  }
  return refuse(400, 'the version is not written as HTTP/1.1')
}

/** Three digits; NaN when they are not. */
function parseStatus(octets: Buffer, at: number): number {
  let status = 0
  for (let i = at; i < at + 3; i++) {
    const digit = octets[i]! - ZERO
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    status = status * 10 + digit
  }
  return status
}

function refuseLine(octets: Buffer, at: number, nameEnd: number): Refusal {
  if (isBlank(octets[at])) return refuse(400, 'a line begins with white space: fields are not folded')
  if (isBlank(octets[nameEnd])) return refuse(400, 'white space stands before the colon of a field')
  return refuse(400, 'a field name is no token with a colon after it')
}

function isBlank(c: number | undefined): boolean {
  return c === SP || c === 9
}

function headTooLarge(limits: HeadLimits): Refusal {
  return refuse(431, `the head is larger than ${limits.headerOctets} octets`)
}

function targetTooLong(limits: HeadLimits): Refusal {
  return refuse(414, `the request target is longer than ${limits.targetOctets} octets`)
}
