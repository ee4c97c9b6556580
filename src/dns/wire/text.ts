import { asBuffer } from './octets.ts'

/** Octets that one character-string holds (RFC 1035 §3.3). */
export const STRING_LIMIT = 255

/**
 * The octets that a word of a master file stands for: escapes resolved, the rest in UTF-8.
 *
 * @param text without the quotation marks around it
 * @returns the octets, or a text that says why there are none
 */
export function unescapeText(text: string): Uint8Array | string {
  if (!/[\\"]/.test(text)) return Buffer.from(text)
  const parts: Uint8Array[] = []
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') return 'a text with a quotation mark inside, which must be written \\"'
    if (text[i] !== '\\') continue
    const escaped = readEscape(text, i)
    if (escaped === undefined)
      return 'a text with a backslash without "DDD" up to 255 or a character after it'
    parts.push(Buffer.from(text.slice(from, i)), Uint8Array.of(escaped.octet))
    i = escaped.last
    from = i + 1
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(from))])
}

/** Octets between quotation marks; what is not printable ASCII as `\DDD` (RFC 1035 §5.1). */
export function quoteOctets(octets: Uint8Array): string {
  const text = asBuffer(octets).toString('latin1')
  return `"${text.replace(/["\\]|[^ -~]/g, escapeCharacter)}"`
}

function escapeCharacter(character: string): string {
  return character === '"' || character === '\\'
    ? `\\${character}`
    : `\\${String(character.charCodeAt(0)).padStart(3, '0')}`
}

/** Cut octets into parts that fit a character-string; no octets are one empty part. */
export function splitStrings(octets: Uint8Array): Uint8Array[] {
  const count = Math.max(1, Math.ceil(octets.length / STRING_LIMIT))
  return Array.from({ length: count }, (_, i) => octets.subarray(i * STRING_LIMIT, (i + 1) * STRING_LIMIT))
}

/**
 * Read the escape `\DDD` or `\X` that begins at `at` (RFC 1035 §5.1).
 *
 * @returns the octet and the index of the last character of the escape; undefined when it is none
 */
export function readEscape(text: string, at: number): { octet: number; last: number } | undefined {
  const first = text.charCodeAt(at + 1)
  if (Number.isNaN(first)) return undefined
  if (!isDigit(first)) return first < 0x80 ? { octet: first, last: at + 1 } : undefined
  const digits = text.slice(at + 1, at + 4)
  return /^(?:[01]\d\d|2[0-4]\d|25[0-5])$/.test(digits) ? { octet: Number(digits), last: at + 3 } : undefined
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Characters of a text that a message shows. */
const SHOWN_LIMIT = 80

/** What was written, in quotation marks, for a message; a long text is cut. */
export function showText(text: string): string {
  return text.length > SHOWN_LIMIT ? `"${text.slice(0, SHOWN_LIMIT)}…"` : `"${text}"`
}
