import { parseIpv4, parseIpv6, printIpv4, printIpv6 } from './address.ts'
import type { FieldCodec } from './field.ts'
import { encodeInteger, Fault, type OctetReader } from './octets.ts'

const FAMILIES: Readonly<Record<string, Family>> = {
  1: { size: 4, parse: parseIpv4, print: printIpv4 },
  2: { size: 16, parse: parseIpv6, print: printIpv6 },
}

type Family = {
  readonly size: number
  readonly parse: (text: string) => Uint8Array | undefined
  readonly print: (octets: Uint8Array) => string
}

/** Address prefixes, trailing zero octets left out (RFC 3123 §4, §5). */
export const prefixes: FieldCodec = {
  wants: 'prefixes such as 1:192.0.2.0/24 or !2:2001:db8::/32',
  many: true,
  parse: (tokens) => {
    const items = tokens.map((token) => parsePrefix(token.text))
    return items.every((item) => item !== undefined) ? Buffer.concat(items) : undefined
  },
  print: (reader) => {
    const items: string[] = []
    while (reader.left > 0) items.push(printPrefix(reader))
    return items.join(' ')
  },
}

function parsePrefix(text: string): Uint8Array | undefined {
  const [, negation, number, addressText, length] =
    /^(!?)([12]):([0-9A-Fa-f:.]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = FAMILIES[number ?? '']
  const address = family?.parse(addressText ?? '')
  if (family === undefined || address === undefined || Number(length) > family.size * 8) return undefined
  const significant = address.findLastIndex((octet) => octet !== 0) + 1
  const head = Uint8Array.of(Number(length), (negation === '!' ? 0x80 : 0) | significant)
  return Buffer.concat([encodeInteger(Number(number), 2), head, address.subarray(0, significant)])
}

function printPrefix(reader: OctetReader): string {
  const number = reader.u16()
  const length = reader.u8()
  const flags = reader.u8()
  const part = reader.take(flags & 0x7f)
  const family = FAMILIES[number]
  if (family === undefined || length > family.size * 8 || part.length > family.size || part.at(-1) === 0) {
    throw new Fault(`A prefix of address family ${number} is not in the form of RFC 3123 §4`)
  }
  const address = new Uint8Array(family.size)
  address.set(part)
  return `${flags & 0x80 ? '!' : ''}${number}:${family.print(address)}/${length}`
}
