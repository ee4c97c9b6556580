import { parseHex, printHex } from './encoding.ts'
import { name, type ParseContext, takeName } from './field.ts'
import { type Field, FORMATS } from './format.ts'
import { ROOT } from './name.ts'
import { Fault, OctetReader, unlessFault } from './octets.ts'
import { Scanner, type Token } from './scan.ts'
import { quoteOctets, showText, splitStrings } from './text.ts'
import { TYPE, typeName } from './types.ts'

/** The length of rdata is a 16-bit field (RFC 1035 §3.2.1). */
const RDATA_LIMIT = 0xffff

export type Rdata = {
  /** names in it are not compressed */
  readonly wire: Uint8Array
  /** a text was longer than the 255 octets of a character-string and became several (RFC 1035 §3.3) */
  readonly split: boolean
}

/**
 * Read rdata in presentation form (RFC 1035 §5.1), or in the generic form `\# 4 C0000201` (RFC 3597 §5).
 *
 * @param type number, class IN
 * @param text without comments, on one line or in parentheses
 * @param origin wire form of what completes relative names; the root when left out
 * @returns the octets, or a text that says what was written and what is wanted
 * @example parseRdata(TYPE.MX, '10 mail', origin)
 */
export function parseRdata(type: number, text: string, origin: Uint8Array = ROOT): Rdata | string {
  const scanner = new Scanner(text)
  const entry = scanner.next()
  if (entry?.fault)
    return `${typeName(type)} is ${showText(text)}, at character ${entry.fault.column}: ${entry.fault.message}`
  if (entry?.commented)
    return `${typeName(type)} has a ";", which begins a comment; wanted it in quotation marks`
  if (scanner.next() !== undefined) return `${typeName(type)} has a line end; wanted one line`
  return parseRdataTokens(type, entry?.tokens ?? [], origin)
}

/** `parseRdata` for words that are already told apart. */
export function parseRdataTokens(type: number, tokens: readonly Token[], origin: Uint8Array): Rdata | string {
  if (tokens[0]?.text === '\\#' && !tokens[0].quoted) return parseGeneric(type, tokens.slice(1))
  const fields = FORMATS.get(type)
  if (fields === undefined) {
    return `${typeName(type)} has no form of its own; wanted \\#, the length and the octets in hexadecimal (RFC 3597 §5)`
  }
  const context: ParseContext = { origin, split: false }
  const parts: Uint8Array[] = []
  let at = 0
  for (const field of fields) {
    const words = tokens.slice(at, field.codec.many ? undefined : at + 1)
    const part = words.length === 0 && !field.codec.many ? undefined : field.codec.parse(words, context)
    if (!(part instanceof Uint8Array)) return complain(type, field, words, part)
    parts.push(part)
    at += words.length
  }
  if (at < tokens.length)
    return `${typeName(type)} has ${showText(tokens[at]!.text)} after its last field; wanted the end`
  const wire = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  if (wire.length > RDATA_LIMIT) {
    return `${typeName(type)} has ${wire.length} octets of rdata, and ${RDATA_LIMIT} is the most (RFC 1035 §3.2.1)`
  }
  return { wire, split: context.split }
}

function complain(type: number, { label, codec }: Field, words: readonly Token[], detail?: string): string {
  const what = `The ${label} of ${typeName(type)}`
  if (detail !== undefined) return `${what}: ${detail}; wanted ${codec.wants}`
  if (words.length === 0) return `${what} is missing; wanted ${codec.wants}`
  return `${what} is ${showText(words.map((word) => word.text).join(' '))}; wanted ${codec.wants}`
}

function parseGeneric(type: number, [lengthToken, ...digits]: readonly Token[]): Rdata | string {
  const written = lengthToken?.text ?? ''
  const length = /^\d{1,5}$/.test(written) ? Number(written) : RDATA_LIMIT + 1
  if (length > RDATA_LIMIT)
    return `The length after \\# is ${showText(written)}; wanted a number from 0 to ${RDATA_LIMIT}`
  const hex = digits.map((token) => token.text).join('')
  const wire = hex === '' ? new Uint8Array() : parseHex(hex)
  if (wire?.length !== length)
    return `${hex.length} digits follow \\# ${length}; wanted ${length * 2} hexadecimal digits`
  // A known type is read as such, so its octets must be (RFC 3597 §5).
  if (FORMATS.has(type) && printFields(type, wire) === undefined)
    return `The octets are no ${typeName(type)} rdata`
  return { wire, split: false }
}

/**
 * Write rdata in presentation form with absolute names; in the generic form of RFC 3597 §5 when the type is unknown
 * or the octets are no rdata of it.
 *
 * @param wire names not compressed
 */
export function printRdata(type: number, wire: Uint8Array): string {
  return printFields(type, wire) ?? `\\# ${wire.length} ${printHex(wire)}`.trimEnd()
}

/**
 * Write any text as the quoted character-strings of a TXT record, one for each 255 octets of its UTF-8.
 *
 * @example quoteText('v=spf1 -all') // '"v=spf1 -all"'
 */
export function quoteText(text: string): string {
  return splitStrings(Buffer.from(text)).map(quoteOctets).join(' ')
}

/** Undefined when the type has no fields or the octets are not these. */
function printFields(type: number, wire: Uint8Array): string | undefined {
  const fields = FORMATS.get(type)
  if (fields === undefined) return undefined
  return unlessFault(() => {
    const reader = new OctetReader(wire)
    const text = fields.map((field) => field.codec.print(reader)).join(' ')
    return reader.left === 0 ? text.trimEnd() : undefined
  })
}

/**
 * Copy rdata out of a message, its names uncompressed.
 *
 * Names are also expanded in types that must not compress them: older programs did (RFC 3597 §4). Empty rdata, as
 * in an UPDATE (RFC 2136 §2.4), stays empty.
 *
 * @param at, end where the rdata stands in `message`
 * @throws {Fault} when its names cannot be read
 */
export function expandRdata(type: number, message: Uint8Array, at: number, end: number): Uint8Array {
  const fields = FORMATS.get(type)
  const hasNames = fields?.some((field) => field.codec === name) ?? false
  if (fields === undefined || !hasNames || at === end) return new Uint8Array(message.subarray(at, end))
  const reader = new OctetReader(message, at, end, true)
  const parts = fields.map(({ codec }) => {
    if (codec === name) return takeName(reader)
    const start = reader.at
    codec.print(reader)
    return message.subarray(start, reader.at)
  })
  if (reader.left > 0) throw new Fault(`${typeName(type)} at octet ${at} has ${reader.left} octets too many`)
  return new Uint8Array(Buffer.concat(parts))
}

/** `count` names in a row after `skip` octets. */
export type CompressibleNames = { readonly skip: number; readonly count: number }

/** Only the types of RFC 1035 may have compressed names (RFC 3597 §4). */
const COMPRESSIBLE: ReadonlyMap<number, CompressibleNames> = new Map([
  ...[TYPE.NS, TYPE.MD, TYPE.MF, TYPE.CNAME, TYPE.MB, TYPE.MG, TYPE.MR, TYPE.PTR].map(
    (type): [number, CompressibleNames] => [type, { skip: 0, count: 1 }],
  ),
  [TYPE.SOA, { skip: 0, count: 2 }],
  [TYPE.MINFO, { skip: 0, count: 2 }],
  [TYPE.MX, { skip: 2, count: 1 }],
])

/**
 * Where the names stand that a message may compress.
 *
 * @returns undefined for types whose rdata is copied as it is
 */
export function compressibleNames(type: number): CompressibleNames | undefined {
  return COMPRESSIBLE.get(type)
}
