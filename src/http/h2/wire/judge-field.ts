import { skipToken, skipValue } from '#http/wire/characters.ts'
import type { Field } from './field.ts'

// What a field of a request is: `Field.kind` once it was judged.

/** May not stand in a message of HTTP/2. */
export const MALFORMED = 1
/** Means nothing to the connection. */
export const REGULAR = 2
/** May come in parts (RFC 9113 §8.2.3). */
export const COOKIE = 3
/** Says what :authority says. */
export const HOST = 4
/** Must agree with DATA (RFC 9113 §8.1.1). */
export const CONTENT_LENGTH = 5
/** The least kind of the pseudo-header fields. */
export const FIRST_PSEUDO = 8
/** :method */
export const METHOD = 8
/** :scheme */
export const SCHEME = 9
/** :authority */
export const AUTHORITY = 10
/** :path */
export const PATH = 11
/** :protocol (RFC 8441 §4) */
export const PROTOCOL = 12

/**
 * Find out what a field is, once for each table entry (RFC 9113 §8.2.1, §8.2.2, §8.3).
 *
 * @returns one of the kinds above, also kept in the field
 */
export function judgeField(field: Field): number {
  if (field.kind === 0) field.kind = kindOf(field)
  return field.kind
}

function kindOf({ name, value }: Field): number {
  if (!isFieldValue(value)) return MALFORMED
  const kind = KINDS.get(name)
  if (kind !== undefined) return kind
  // RFC 9113 §8.2.2: TE is the one field of a connection that may stand, and says nothing else.
  if (name === 'te') return value.toLowerCase() === 'trailers' ? REGULAR : MALFORMED
  return isFieldName(name) ? REGULAR : MALFORMED
}

/** RFC 9113 §8.2.1: a token without upper case. Any other pseudo-header field is none, as ":" is not of a token. */
function isFieldName(name: string): boolean {
  if (name === '' || skipToken(name, 0) !== name.length) return false
  for (let i = 0; i < name.length; i++) {
    const c = name.charCodeAt(i)
    if (c >= 65 && c <= 90) return false
  }
  return true
}

/**
 * RFC 9113 §8.2.1: no NUL, CR or LF, no white space around. Other control characters are refused as well: they may
 * not stand in a field of HTTP/1.1 (RFC 9110 §5.5).
 */
function isFieldValue(value: string): boolean {
  return (
    skipValue(value, 0) === value.length &&
    !isBlank(value.charCodeAt(0)) &&
    !isBlank(value.charCodeAt(value.length - 1))
  )
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9
}

/** Names with a meaning of their own; those of a connection are malformed (RFC 9113 §8.2.2). */
const KINDS: ReadonlyMap<string, number> = new Map([
  [':method', METHOD],
  [':scheme', SCHEME],
  [':authority', AUTHORITY],
  [':path', PATH],
  [':protocol', PROTOCOL],
  ['cookie', COOKIE],
  ['host', HOST],
  ['content-length', CONTENT_LENGTH],
  ['connection', MALFORMED],
  ['proxy-connection', MALFORMED],
  ['keep-alive', MALFORMED],
  ['transfer-encoding', MALFORMED],
  ['upgrade', MALFORMED],
])
