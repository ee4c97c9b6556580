import { parseDate } from './date.ts'
import type { Fields } from './fields.ts'

/** What a version of a representation is known by (RFC 9110 §8.8.1). */
export type Validators = {
  /** as in the ETag field, with quotes; undefined when there is none */
  readonly etag: string | undefined
  /** milliseconds since 1970; undefined when it is not known */
  readonly lastModifiedMs: number | undefined
}

export type Precondition = 'holds' | 'not modified' | 'failed'

/**
 * Evaluate the preconditions of a request in the order of RFC 9110 §13.2.2, all but If-Range.
 *
 * @param validators of the selected representation; null when there is none
 * @returns 'not modified' is answered with 304, 'failed' with 412
 */
export function evaluatePreconditions(
  method: string,
  fields: Fields,
  validators: Validators | null,
  nowMs: number,
): Precondition {
  const isRead = method === 'GET' || method === 'HEAD'
  // RFC 9110 §13.1.3, §13.1.4: without a date of our own, theirs are ignored.
  const lastModified =
    validators?.lastModifiedMs === undefined ? undefined : wholeSecond(validators.lastModifiedMs)
  const ifMatch = listValue(fields, 'if-match')
  if (ifMatch !== undefined) {
    if (!matchesAny(ifMatch, validators, isStrongMatch)) return 'failed'
  } else if (lastModified !== undefined) {
    const since = dateValue(fields, 'if-unmodified-since', nowMs)
    if (since !== undefined && lastModified > since) return 'failed'
  }
  const ifNoneMatch = listValue(fields, 'if-none-match')
  if (ifNoneMatch !== undefined) {
    if (!matchesAny(ifNoneMatch, validators, isWeakMatch)) return 'holds'
    return isRead ? 'not modified' : 'failed'
  }
  if (!isRead || lastModified === undefined) return 'holds'
  const since = dateValue(fields, 'if-modified-since', nowMs)
  return since !== undefined && lastModified <= since ? 'not modified' : 'holds'
}

/**
 * Whether a Range field may be followed as far as If-Range says (RFC 9110 §13.1.5); true without If-Range.
 *
 * @param nowMs the time that the Date field of the response says
 */
export function isRangeCurrent(fields: Fields, validators: Validators, nowMs: number): boolean {
  const value = fields.get('if-range')
  if (value === undefined) return true
  if (value.endsWith('"')) return validators.etag !== undefined && isStrongMatch(value, validators.etag)
  const since = parseDate(value, nowMs)
  if (since === undefined || validators.lastModifiedMs === undefined) return false
  // RFC 9110 §8.8.2.2: within the second of its change, a file may change again and keep its date.
  const lastModified = wholeSecond(validators.lastModifiedMs)
  return since === lastModified && lastModified + 1000 <= nowMs
}

/** RFC 9110 §8.8.3.2: both strong and equal. */
function isStrongMatch(a: string, b: string): boolean {
  return a === b && !a.startsWith('W/')
}

/** RFC 9110 §8.8.3.2: equal, whether strong or weak. */
function isWeakMatch(a: string, b: string): boolean {
  return opaqueTag(a) === opaqueTag(b)
}

/** An entity tag without its mark of weakness (RFC 9110 §8.8.3). */
export function opaqueTag(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}

/** Whether a list of entity tags, or `*`, names the representation. What follows a malformed member is not read. */
function matchesAny(list: string, validators: Validators | null, isMatch: typeof isStrongMatch): boolean {
  if (validators === null) return false
  if (list === '*') return true
  if (validators.etag === undefined) return false
  MEMBER.lastIndex = 0
  for (let member = MEMBER.exec(list); member !== null; member = MEMBER.exec(list)) {
    if (isMatch(member[1]!, validators.etag)) return true
  }
  return false
}

/** One entity tag, which may hold commas but no quote, and the comma after it (RFC 9110 §8.8.3). */
const MEMBER = /[ \t,]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,|$)/y

/** HTTP dates have whole seconds, files have parts of them. */
function wholeSecond(timeMs: number): number {
  return Math.floor(timeMs / 1000) * 1000
}

function listValue(fields: Fields, name: string): string | undefined {
  const first = fields.get(name)
  if (first === undefined) return undefined
  return fields.all(name).join(',')
}

/** RFC 9110 §13.1.3: what is no single date is ignored. */
function dateValue(fields: Fields, name: string, nowMs: number): number | undefined {
  const value = fields.get(name)
  if (value === undefined || fields.all(name).length > 1) return undefined
  return parseDate(value, nowMs)
}
