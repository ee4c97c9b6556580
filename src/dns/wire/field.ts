import { parseIpv4, parseIpv6, printIpv4, printIpv6 } from './address.ts'
import { parseBase32, parseBase64, parseHex, printBase32, printHex } from './encoding.ts'
import { parseName, printName, readName } from './name.ts'
import { asBuffer, encodeInteger, Fault, type OctetReader } from './octets.ts'
import type { Token } from './scan.ts'
import { quoteOctets, STRING_LIMIT, showText, splitStrings, unescapeText } from './text.ts'
import { parseTtl } from './ttl.ts'
import { typeName, typeNumber } from './types.ts'

/** How one field of rdata is written in a master file and on the wire. */
export type FieldCodec = {
  /** what must be written: "a number from 0 to 255" */
  readonly wants: string
  /** it takes every word that is left, not one */
  readonly many?: true
  /** Octets; or the text of what was written instead; undefined when `wants` says it all. */
  readonly parse: (tokens: readonly Token[], context: ParseContext) => Uint8Array | string | undefined
  /** @throws {Fault} when the octets are no such field */
  readonly print: (reader: OctetReader) => string
}

export type ParseContext = {
  /** completes relative names; wire form */
  readonly origin: Uint8Array
  /** set when a character-string had to be cut */
  split: boolean
}

/** A codec of one word. */
function word(
  wants: string,
  parse: (text: string, context: ParseContext) => Uint8Array | string | undefined,
  print: (reader: OctetReader) => string,
): FieldCodec {
  return { wants, parse: ([token], context) => parse(token!.text, context), print }
}

/** A codec of all words that are left; blanks between them mean nothing. */
function joined(
  wants: string,
  parse: (text: string) => Uint8Array | undefined,
  print: (octets: Uint8Array) => string,
): FieldCodec {
  return {
    wants,
    many: true,
    parse: (tokens) => parse(tokens.map((token) => token.text).join('')),
    print: (reader) => print(reader.rest()),
  }
}

/** An unsigned integer; `names` may be written instead of their numbers. */
export function integer(size: number, names: Readonly<Record<string, number>> = {}): FieldCodec {
  const max = 2 ** (size * 8) - 1
  const [firstName] = Object.keys(names)
  const wants = `a number from 0 to ${max}${firstName ? ` or a mnemonic such as ${firstName}` : ''}`
  return word(
    wants,
    (text) => {
      const named = Object.hasOwn(names, text.toUpperCase()) ? names[text.toUpperCase()] : undefined
      return named === undefined ? parseInteger(text, size) : encodeInteger(named, size)
    },
    (reader) => String(asBuffer(reader.take(size)).readUIntBE(0, size)),
  )
}

function parseInteger(text: string, size: number): Uint8Array | undefined {
  const isInteger = /^\d{1,10}$/.test(text) && Number(text) < 2 ** (size * 8)
  return isInteger ? encodeInteger(Number(text), size) : undefined
}

/** 64 bits in decimal. */
export const integer64: FieldCodec = word(
  'a number from 0 to 18446744073709551615',
  (text) => {
    if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 2n ** 64n) return undefined
    const octets = Buffer.alloc(8)
    octets.writeBigUInt64BE(BigInt(text))
    return octets
  },
  (reader) => String(asBuffer(reader.take(8)).readBigUInt64BE()),
)

/** Seconds, or with units as a TTL may have them: `1h30m`. */
export const period: FieldCodec = word(
  'seconds up to 4294967295, or with units such as 1h30m',
  (text) => {
    const seconds = parseTtl(text)
    return seconds === undefined || seconds > 0xffffffff ? undefined : encodeInteger(seconds, 4)
  },
  (reader) => String(reader.u32()),
)

/** A moment of RRSIG as YYYYMMDDHHmmSS in UTC, or seconds since 1970 (RFC 4034 §3.2). */
export const time: FieldCodec = word(
  'a moment such as 20260131235959 (YYYYMMDDHHmmSS in UTC)',
  (text) => {
    const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)?.slice(1).map(Number)
    if (parts === undefined) return parseInteger(text, 4)
    const [year, month, day, hour, minute, second] = parts as [number, number, number, number, number, number]
    const seconds = Date.UTC(year, month - 1, day, hour, minute, second) / 1000
    const isMoment = seconds >= 0 && seconds <= 0xffffffff && printTime(seconds) === text
    return isMoment ? encodeInteger(seconds, 4) : undefined
  },
  (reader) => printTime(reader.u32()),
)

function printTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\D/g, '').slice(0, 14)
}

/** Absolute or relative to the origin; not compressed (RFC 3597 §4). */
export const name: FieldCodec = word(
  'a domain name',
  (text, { origin }) => parseName(text, origin),
  (reader) => printName(takeName(reader)),
)

/** Read a name whole. Only the names of a message may be compressed. */
export function takeName(reader: OctetReader): Uint8Array {
  const read = readName(reader.octets, reader.at, reader.end)
  if (typeof read === 'string') throw new Fault(read)
  const isCompressed = read.end - reader.at !== read.name.length
  if (isCompressed && !reader.compressed) throw new Fault(`The name at octet ${reader.at} has a pointer`)
  reader.at = read.end
  return read.name
}

/** A type's number in two octets. */
export const type: FieldCodec = word(
  'a record type such as A or TYPE65280',
  (text) => {
    const number = typeNumber(text)
    return number === undefined ? undefined : encodeInteger(number, 2)
  },
  (reader) => typeName(reader.u16()),
)

/** Four octets. */
export const ipv4: FieldCodec = word('an IPv4 address such as 192.0.2.1', parseIpv4, (reader) =>
  printIpv4(reader.take(4)),
)

/** Sixteen octets. */
export const ipv6: FieldCodec = word('an IPv6 address such as 2001:db8::1', parseIpv6, (reader) =>
  printIpv6(reader.take(16)),
)

/** One character-string (RFC 1035 §3.3). */
export const string: FieldCodec = word(
  `a text of at most ${STRING_LIMIT} octets`,
  (text) => {
    const octets = unescapeText(text)
    if (typeof octets === 'string') return octets
    return octets.length > STRING_LIMIT ? `a text of ${octets.length} octets` : counted(octets)
  },
  (reader) => quoteOctets(reader.counted()),
)

/** One or more character-strings; one that is too long is cut. */
export const strings: FieldCodec = {
  wants: 'one or more texts',
  many: true,
  parse: (tokens, context) => {
    if (tokens.length === 0) return undefined
    const parts: Uint8Array[] = []
    for (const token of tokens) {
      const octets = unescapeText(token.text)
      if (typeof octets === 'string') return octets
      if (octets.length > STRING_LIMIT) context.split = true
      parts.push(...splitStrings(octets).map(counted))
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts)
  },
  print: (reader) => {
    const texts: string[] = []
    do texts.push(quoteOctets(reader.counted()))
    while (reader.left > 0)
    return texts.join(' ')
  },
}

/** The rest of the rdata as one quoted text without a length octet. */
export const text: FieldCodec = word('a text in quotation marks', unescapeText, (reader) =>
  quoteOctets(reader.rest()),
)

/** As `text`, and not empty (RFC 7553 §4.4). */
export const target: FieldCodec = word(
  'a URI in quotation marks',
  (text) => (text === '' ? undefined : unescapeText(text)),
  (reader) => quoteOctets(nonEmpty(reader.rest())),
)

/** RFC 8659 §4.1: letters and digits behind a length octet; not quoted. */
export const tag: FieldCodec = word(
  'a tag of letters and digits such as issue',
  (text) => (/^[A-Za-z0-9]{1,255}$/.test(text) ? counted(Buffer.from(text)) : undefined),
  (reader) => {
    const text = asBuffer(reader.counted()).toString('latin1')
    if (!/^[A-Za-z0-9]+$/.test(text)) throw new Fault('A tag is not of letters and digits')
    return text
  },
)

/** At least one octet up to the end. */
export const hex: FieldCodec = joined('hexadecimal digits in pairs', parseHex, (octets) =>
  printHex(nonEmpty(octets)),
)

/** `-`, or at most 255 octets behind a length octet (RFC 5155 §3.3). */
export const countedHex: FieldCodec = word(
  'hexadecimal digits in pairs, or -',
  (text) => {
    const octets = text === '-' ? new Uint8Array() : parseHex(text)
    return octets && octets.length <= 255 ? counted(octets) : undefined
  },
  (reader) => printHex(reader.counted()) || '-',
)

/** `0x` and digits that dots may group (RFC 1706 §5). */
export const nsapHex: FieldCodec = joined(
  '0x and hexadecimal digits in pairs',
  (text) => (/^0x/i.test(text) ? parseHex(text.slice(2).replaceAll('.', '')) : undefined),
  (octets) => `0x${printHex(nonEmpty(octets))}`,
)

/** At least one octet up to the end. */
export const base64: FieldCodec = joined('Base64', parseBase64, (octets) =>
  asBuffer(nonEmpty(octets)).toString('base64'),
)

/** For KEY, which may say that there is none (RFC 2535 §3.1.2). */
export const optionalBase64: FieldCodec = joined(
  'Base64',
  (text) => (text === '' ? new Uint8Array() : parseBase64(text)),
  (octets) => asBuffer(octets).toString('base64'),
)

/** Base32 with the extended hex alphabet behind a length octet (RFC 5155 §3.3). */
export const countedBase32: FieldCodec = word(
  'Base32 with the digits 0-9 and A-V',
  (text) => {
    const octets = parseBase32(text)
    return octets && octets.length <= 255 ? counted(octets) : undefined
  },
  (reader) => printBase32(nonEmpty(reader.counted())),
)

/** Octets in hex with hyphens between (RFC 7043). */
export function hyphenated(size: number): FieldCodec {
  return separated('-', 1, size)
}

/** Four groups of four digits (RFC 6742 §2). */
export const locator: FieldCodec = separated(':', 2, 8)

function separated(separator: string, groupSize: number, size: number): FieldCodec {
  const digits = groupSize * 2
  const count = size / groupSize
  // Leading zeros may be left out of a locator's groups, not of an EUI's.
  const pattern = new RegExp(
    `^(?:[0-9a-f]{${groupSize === 1 ? digits : 1},${digits}}(?:${separator}(?!$)|$)){${count}}$`,
    'i',
  )
  return word(
    `${count} groups of ${digits} hexadecimal digits with ${separator} between`,
    (text) =>
      pattern.test(text)
        ? Buffer.from(
            text
              .split(separator)
              .map((group) => group.padStart(digits, '0'))
              .join(''),
            'hex',
          )
        : undefined,
    (reader) =>
      printHex(reader.take(size))
        .toLowerCase()
        .match(new RegExp(`.{${digits}}`, 'g'))!
        .join(separator),
  )
}

/** The types present at a name (RFC 4034 §4.1.2). */
export const types: FieldCodec = {
  wants: 'record types such as A or TYPE65280',
  many: true,
  parse: (tokens) => {
    const windows = new Map<number, Uint8Array>()
    for (const token of tokens) {
      const number = typeNumber(token.text)
      if (number === undefined) return showText(token.text)
      const window = number >> 8
      const bits = windows.get(window) ?? new Uint8Array(32)
      bits[(number & 0xff) >> 3]! |= 0x80 >> (number & 7)
      windows.set(window, bits)
    }
    const sorted = [...windows].sort(([a], [b]) => a - b)
    return Buffer.concat(
      sorted.flatMap(([window, bits]) => {
        const length = bits.findLastIndex((octet) => octet !== 0) + 1
        return [Uint8Array.of(window, length), bits.subarray(0, length)]
      }),
    )
  },
  print: (reader) => {
    const names: string[] = []
    let last = -1
    while (reader.left > 0) {
      const window = reader.u8()
      const bits = reader.counted()
      if (window <= last || bits.length === 0 || bits.length > 32 || bits.at(-1) === 0) {
        throw new Fault(`Window ${window} of the type bit maps is empty, too long or out of order`)
      }
      last = window
      for (let bit = 0; bit < bits.length * 8; bit++) {
        if (bits[bit >> 3]! & (0x80 >> (bit & 7))) names.push(typeName(window * 256 + bit))
      }
    }
    return names.join(' ')
  },
}

/** Octets behind their number, at most 255. */
export function counted(octets: Uint8Array): Uint8Array {
  const string = new Uint8Array(octets.length + 1)
  string[0] = octets.length
  string.set(octets, 1)
  return string
}

function nonEmpty(octets: Uint8Array): Uint8Array {
  if (octets.length === 0) throw new Fault('A field is empty')
  return octets
}
