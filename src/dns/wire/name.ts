import { domainToASCII } from 'node:url'
import { readEscape, showText } from './text.ts'

/** RFC 1035 §2.3.4, in octets. */
export const LABEL_LIMIT = 63
/** RFC 1035 §2.3.4, in octets on the wire: length octets and the root's counted. */
export const NAME_LIMIT = 255

/** The name of no labels. */
export const ROOT: Uint8Array = Uint8Array.of(0)

const DOT = 0x2e
const BACKSLASH = 0x5c
const POINTER = 0xc0

const scratch = Buffer.alloc(NAME_LIMIT)

/**
 * Read a domain name in presentation form (RFC 1035 §5.1, RFC 4343 §2.1).
 *
 * Case is kept. Letters outside ASCII become A-labels (`toAscii`).
 *
 * @param text such as `www.example.com.`, `*.example.com.`, `a\.b.example.` or `@`, which is the origin
 * @param origin wire form of what completes a name without final dot; the root when left out
 * @returns the uncompressed wire form, or a text that says why there is none
 * @example parseName('www', origin) // <03 w w w 07 e x a m p l e 03 c o m 00>
 */
export function parseName(text: string, origin: Uint8Array = ROOT): Uint8Array | string {
  if (text === '@') return origin
  if (text === '.') return ROOT
  const ascii = toAscii(text)
  if (ascii === undefined) return `${showText(text)} has no form in ASCII (UTS 46)`
  return encodeLabels(ascii, origin)
}

function encodeLabels(text: string, origin: Uint8Array): Uint8Array | string {
  let start = 0
  let end = 1
  for (let i = 0; i < text.length; i++) {
    let octet = text.charCodeAt(i)
    if (octet === DOT) {
      const fault = closeLabel(text, start, end)
      if (fault !== undefined) return fault
      start = end++
      continue
    }
    if (octet === BACKSLASH) {
      const escaped = readEscape(text, i)
      if (escaped === undefined)
        return `${showText(text)} has a backslash without "DDD" up to 255 or a character after it`
      octet = escaped.octet
      i = escaped.last
    }
    // Octets past the limit are counted, so that the message can say how many there are.
    if (end < NAME_LIMIT) scratch[end] = octet
    end++
  }
  const isAbsolute = end === start + 1
  if (isAbsolute && start > 0) return closeName(text, ROOT, start)
  const fault = closeLabel(text, start, end)
  return fault ?? closeName(text, origin, end)
}

function closeLabel(text: string, start: number, end: number): string | undefined {
  const length = end - start - 1
  if (length === 0) return text === '' ? 'The name is empty' : `${showText(text)} has an empty label`
  if (length > LABEL_LIMIT) {
    return `${showText(text)} has a label of ${length} octets, and ${LABEL_LIMIT} is the most (RFC 1035 §2.3.4)`
  }
  if (start < NAME_LIMIT) scratch[start] = length
  return undefined
}

function closeName(text: string, origin: Uint8Array, end: number): Uint8Array | string {
  const size = end + origin.length
  if (size > NAME_LIMIT) {
    return `${showText(text)} takes ${size} octets, and ${NAME_LIMIT} is the most for a name (RFC 1035 §2.3.4)`
  }
  const name = new Uint8Array(size)
  name.set(scratch.subarray(0, end))
  name.set(origin, end)
  return name
}

/**
 * Write a domain name in presentation form, with the final dot.
 *
 * What a master file gives a meaning to is escaped: `. \ " ; ( ) @ $`, and all that is not printable (RFC 1035 §5.1).
 *
 * @param name uncompressed wire form
 */
export function printName(name: Uint8Array): string {
  if (name.length === 1) return '.'
  let text = ''
  for (let at = 0; at < name.length - 1; at += name[at]! + 1) {
    for (let i = at + 1; i <= at + name[at]!; i++) text += NAME_CHARACTERS[name[i]!]
    text += '.'
  }
  return text
}

const NAME_CHARACTERS: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, '0')}`
  const character = String.fromCharCode(octet)
  return '.\\";()@$'.includes(character) ? `\\${character}` : character
})

/**
 * Read a name of a message, following compression pointers (RFC 1035 §4.1.4).
 *
 * A pointer must lead to before the part of the name that it ends, so every name has an end.
 *
 * @param message from its header on
 * @param offset of the name's first octet
 * @param limit where the field that holds the name ends
 * @returns the uncompressed name and the offset after it, or a text that says why there is none
 */
export function readName(
  message: Uint8Array,
  offset: number,
  limit: number = message.length,
): { name: Uint8Array; end: number } | string {
  let size = 0
  let at = offset
  let start = offset
  let end = 0
  while (true) {
    const length = at < limit ? message[at]! : undefined
    if (length === undefined) return `The name at octet ${offset} runs past the end at octet ${limit}`
    if (length >= POINTER) {
      if (at + 1 >= limit) return `The name at octet ${offset} runs past the end at octet ${limit}`
      const target = ((length & 0x3f) << 8) | message[at + 1]!
      if (target >= start)
        return `The pointer at octet ${at} leads to ${target}, which is not before ${start}`
      if (end === 0) end = at + 2
      limit = message.length
      at = start = target
      continue
    }
    if (length > LABEL_LIMIT) return `The label at octet ${at} has the unknown type ${length >> 6}`
    if (at + 1 + length > limit) return `The name at octet ${offset} runs past the end at octet ${limit}`
    if (size + 1 + length > NAME_LIMIT)
      return `The name at octet ${offset} takes more than ${NAME_LIMIT} octets`
    for (let i = 0; i <= length; i++) scratch[size++] = message[at++]!
    if (length === 0) return { name: new Uint8Array(scratch.subarray(0, size)), end: end || at }
  }
}

/**
 * A copy in lower case, for comparing (RFC 4343 §3): ASCII letters only.
 *
 * Length octets are at most 63 and `A` is 65, so they pass unchanged.
 */
export function lowerName(name: Uint8Array): Uint8Array {
  const lower = new Uint8Array(name) // a Buffer's slice() would be a view
  for (let i = 0; i < lower.length; i++) {
    const octet = lower[i]!
    if (octet >= 0x41 && octet <= 0x5a) lower[i] = octet | 0x20
  }
  return lower
}

/** Labels without the root's: 0 for the root, 2 for `example.com.` */
export function countLabels(name: Uint8Array): number {
  let count = 0
  for (let at = 0; at < name.length - 1; at += name[at]! + 1) count++
  return count
}

/** The name without its leftmost label; the root is its own parent. A view. */
export function parentName(name: Uint8Array): Uint8Array {
  return name[0] === 0 ? name : name.subarray(name[0]! + 1)
}

/** Is `name` equal to `ancestor` or under it? Octets are compared as they are: lower both first. */
export function isWithin(name: Uint8Array, ancestor: Uint8Array): boolean {
  const surplus = name.length - ancestor.length
  let at = 0
  while (at < surplus) at += name[at]! + 1
  if (at !== surplus) return false
  for (let i = 0; i < ancestor.length; i++) if (name[at + i] !== ancestor[i]) return false
  return true
}

/**
 * Canonical order: by labels from the root on, each as octets, a name before those under it (RFC 4034 §6.1).
 *
 * @param a, b in lower case
 */
export function compareNames(a: Uint8Array, b: Uint8Array): number {
  const left = splitLabels(a)
  const right = splitLabels(b)
  for (let i = 1; i <= Math.min(left.length, right.length); i++) {
    const order = Buffer.compare(left.at(-i)!, right.at(-i)!)
    if (order !== 0) return order
  }
  return left.length - right.length
}

function splitLabels(name: Uint8Array): Uint8Array[] {
  const labels: Uint8Array[] = []
  for (let at = 0; at < name.length - 1; at += name[at]! + 1)
    labels.push(name.subarray(at + 1, at + 1 + name[at]!))
  return labels
}

/**
 * Turn the labels with letters outside ASCII into A-labels (UTS 46, not transitional); the rest stays as written,
 * with its case, underscores, `*` and escapes.
 *
 * @returns undefined when a label has no such form
 * @example toAscii('*.Bücher.example') // '*.xn--bcher-kva.example'
 */
export function toAscii(text: string): string | undefined {
  if (isAscii(text)) return text
  const labels = text.replace(/[\u3002\uff0e\uff61]/g, '.').match(/(?:\\[\s\S]|[^.\\])+|\.|\\/g) ?? []
  const converted = labels.map((label) => (isAscii(label) ? label : labelToAscii(label)))
  return converted.includes('') ? undefined : converted.join('')
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** Empty when there is none. */
function labelToAscii(label: string): string {
  // domainToASCII reads a host of a URL: it would cut at "/", decode "%41" and take "１２３" for an IPv4 address.
  if (/[\0-\x20"#%/:;<>?@[\\\]^`{|}\x7f]/.test(label)) return ''
  const [ascii, ...rest] = domainToASCII(`${label}.a`).split('.')
  return rest.length === 1 ? ascii! : ''
}
