/** `LOWER[c]` is the lower case of an ASCII octet, any other octet itself. */
export const LOWER: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) => (c >= 65 && c <= 90 ? c + 32 : c))

const TCHAR = 1
const VALUE = 2
const TARGET = 4

/** Classes of octets, one bit each, so that a parser's loop is one look-up an octet. */
const CLASSES: Uint8Array = Uint8Array.from({ length: 256 }, (_, c) => {
  const isTchar = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/.test(String.fromCharCode(c))
  const isValue = c === 9 || (c >= 32 && c !== 127)
  // RFC 9112 §3.2: no fragment. Browsers send other visible characters outside of RFC 3986, such as "|".
  const isTarget = c > 32 && c < 127 && c !== 35
  return (isTchar ? TCHAR : 0) | (isValue ? VALUE : 0) | (isTarget ? TARGET : 0)
})

/** The first offset from `from` that holds no tchar (RFC 9110 §5.6.2), at most the length of `text`. */
export function skipToken(text: string, from: number): number {
  return skip(text, from, TCHAR)
}

/** The first offset from `from` that may not stand in a field value (RFC 9110 §5.5), such as CR. */
export function skipValue(text: string, from: number): number {
  return skip(text, from, VALUE)
}

/** The first offset from `from` that may not stand in a request target. */
export function skipTarget(text: string, from: number): number {
  return skip(text, from, TARGET)
}

/** `skipToken` in octets that are followed by at least one that is no tchar. */
export function skipTokenOctets(octets: Uint8Array, from: number): number {
  let at = from
  while ((CLASSES[octets[at]!]! & TCHAR) !== 0) at++
  return at
}

/** `skipValue` in octets that are followed by at least one that may not stand in a value. */
export function skipValueOctets(octets: Uint8Array, from: number): number {
  let at = from
  while ((CLASSES[octets[at]!]! & VALUE) !== 0) at++
  return at
}

/** `skipTarget` in octets that are followed by at least one that may not stand in a target. */
export function skipTargetOctets(octets: Uint8Array, from: number): number {
  let at = from
  while ((CLASSES[octets[at]!]! & TARGET) !== 0) at++
  return at
}

/** Whether an octet is a tchar (RFC 9110 §5.6.2). */
export function isTokenOctet(octet: number): boolean {
  return (CLASSES[octet]! & TCHAR) !== 0
}

/** Whether the whole text is a token (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return text !== '' && skipToken(text, 0) === text.length
}

/** Compare `text` from `start` to `end` with a lower-case name, without case. */
export function isSame(text: string, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false
  for (let i = 0; i < lower.length; i++) {
    if (LOWER[text.charCodeAt(start + i)] !== lower.charCodeAt(i)) return false
  }
  return true
}

function skip(text: string, from: number, accepted: number): number {
  let at = from
  // Beyond Latin-1 the table gives undefined, which stops as well.
  while (at < text.length && (CLASSES[text.charCodeAt(at)]! & accepted) !== 0) at++
  return at
}
