/**
 * Distinguished Encoding Rules (X.690): what a certificate needs of them, and no more.
 * Each function returns one whole element: tag, length, content.
 */

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(0x30, ...parts)
}

/** Elements in the order that DER wants them to be given in. */
export function set(...parts: readonly Uint8Array[]): Buffer {
  return element(0x31, ...parts)
}

/** `[number]` around a whole element (explicit) or around its parts (implicit, constructed). */
export function tagged(number: number, ...parts: readonly Uint8Array[]): Buffer {
  return element(0xa0 | number, ...parts)
}

/** `[number]` in place of the tag of a primitive type. */
export function taggedPrimitive(number: number, content: Uint8Array): Buffer {
  return element(0x80 | number, content)
}

/** @param magnitude unsigned, most significant octet first */
export function integer(magnitude: Uint8Array): Buffer {
  let start = 0
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++
  const shortest = magnitude.subarray(start)
  // Two's complement: a leading 1 bit would make it negative.
  const isHigh = (shortest[0] ?? 0) >= 0x80 || shortest.length === 0
  return isHigh ? element(0x02, Buffer.of(0), shortest) : element(0x02, shortest)
}

/** DER writes true as 0xff. */
export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.of(value ? 0xff : 0))
}

/** @param unused bits at the end of the last octet that do not count */
export function bitString(content: Uint8Array, unused = 0): Buffer {
  return element(0x03, Buffer.of(unused), content)
}

/** Octets as they are. */
export function octetString(content: Uint8Array): Buffer {
  return element(0x04, content)
}

/** Any text. */
export function utf8String(text: string): Buffer {
  return element(0x0c, Buffer.from(text, 'utf8'))
}

/** @param text of ASCII letters, digits and a few signs */
export function printableString(text: string): Buffer {
  return element(0x13, Buffer.from(text, 'latin1'))
}

/** @param dotted such as `2.5.29.17` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

/**
 * A time in whole seconds: UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5).
 *
 * @param at milliseconds since 1970
 */
export function time(at: number): Buffer {
  const digits = `${new Date(at).toISOString().slice(0, 19).replace(/\D/g, '')}Z`
  const isShort = digits < '2050'
  return isShort ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}

/** An element that was found: `start` and `end` of its content, `end` being where the next one begins. */
export type Found = { readonly tag: number; readonly start: number; readonly end: number }

/**
 * Find out where the element at `offset` begins and ends.
 *
 * @throws {RangeError} when it does not end within `bytes`
 */
export function elementAt(bytes: Uint8Array, offset: number): Found {
  const first = bytes[offset + 1] ?? 0
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f
  let length = first < 0x80 ? first : 0
  for (let index = 0; index < Math.min(lengthOctets, 5); index++) {
    length = length * 256 + (bytes[offset + 2 + index] ?? 0)
  }
  const start = offset + 2 + lengthOctets
  const end = start + length
  if (end > bytes.length) throw new RangeError(`Element at ${offset} ends at ${end}, after ${bytes.length}`)
  return { tag: bytes[offset]!, start, end }
}

function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, content) => sum + content.length, 0)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(length)]), ...contents])
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length]
  const octets: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256)
  return [0x80 | octets.length, ...octets]
}

function base128(value: number): number[] {
  const octets = [value & 0x7f]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    octets.unshift((rest & 0x7f) | 0x80)
  }
  return octets
}
