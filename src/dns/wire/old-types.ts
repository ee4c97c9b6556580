import { parseIpv6, printIpv6 } from './address.ts'
import { type FieldCodec, takeName } from './field.ts'
import { parseName, printName } from './name.ts'
import { Fault } from './octets.ts'

const PROTOCOLS: Readonly<Record<string, number>> = { ICMP: 1, TCP: 6, UDP: 17 }

/** Services that master files of old name (RFC 1010). */
const SERVICES: Readonly<Record<string, number>> = {
  ECHO: 7,
  DISCARD: 9,
  'FTP-DATA': 20,
  FTP: 21,
  SSH: 22,
  TELNET: 23,
  SMTP: 25,
  TIME: 37,
  DOMAIN: 53,
  TFTP: 69,
  FINGER: 79,
  HTTP: 80,
  POP3: 110,
  SUNRPC: 111,
  AUTH: 113,
  NNTP: 119,
  NTP: 123,
  IMAP: 143,
  SNMP: 161,
  HTTPS: 443,
}

const PORT_LIMIT = 0xffff

/** The rest of WKS after the address: a protocol, and a bit for each port (RFC 1035 §3.4.2). */
export const services: FieldCodec = {
  wants: 'a protocol such as TCP or 6, and ports such as SMTP or 25',
  many: true,
  parse: ([protocolWord, ...words]) => {
    const protocol = numberOf(protocolWord?.text, PROTOCOLS, 255)
    const ports = words.map(({ text }) => numberOf(text, SERVICES, PORT_LIMIT))
    if (protocol === undefined || !ports.every((port) => port !== undefined)) return undefined
    const octets = new Uint8Array(1 + (ports.length === 0 ? 0 : (Math.max(...ports) >> 3) + 1))
    octets[0] = protocol
    for (const port of ports) octets[1 + (port >> 3)]! |= 0x80 >> (port & 7)
    return octets
  },
  print: (reader) => {
    const words = [reader.u8()]
    const bits = reader.rest()
    if (bits.length > (PORT_LIMIT + 1) / 8)
      throw new Fault('The bit map of WKS is longer than there are ports')
    if (bits.at(-1) === 0) throw new Fault('The bit map of WKS ends with octets of no port')
    for (let port = 0; port < bits.length * 8; port++)
      if (bits[port >> 3]! & (0x80 >> (port & 7))) words.push(port)
    return words.join(' ')
  },
}

function numberOf(
  text: string | undefined,
  names: Readonly<Record<string, number>>,
  max: number,
): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,5}$/.test(text)) return names[text.toUpperCase()]
  return Number(text) <= max ? Number(text) : undefined
}

/** A6: how many bits the prefix has, the address behind them, the name that has the prefix (RFC 2874 §3.1). */
export const prefixedAddress: FieldCodec = {
  wants: 'the length of a prefix, an address behind it and, where the prefix is not empty, its name',
  many: true,
  parse: ([lengthWord, ...words], { origin }) => {
    const length = numberOf(lengthWord?.text, {}, 128)
    const address = length === 128 ? new Uint8Array(16) : parseIpv6(words.shift()?.text ?? '')
    const named = words.shift()?.text
    if (length === undefined || address === undefined || words.length > 0) return undefined
    if ((length === 0) !== (named === undefined)) return undefined
    const prefix = named === undefined ? new Uint8Array() : parseName(named, origin)
    if (typeof prefix === 'string') return prefix
    const suffix = address.slice(length >> 3)
    if (suffix.length > 0) suffix[0]! &= 0xff >> (length & 7)
    return Buffer.concat([Uint8Array.of(length), suffix, prefix])
  },
  print: (reader) => {
    const length = reader.u8()
    if (length > 128) throw new Fault(`A prefix of ${length} bits is longer than an address`)
    const suffix = reader.take(16 - (length >> 3))
    if (suffix.length > 0 && (suffix[0]! & ~(0xff >> (length & 7))) !== 0)
      throw new Fault('A6 has bits of the prefix in its address')
    const address = new Uint8Array(16)
    address.set(suffix, 16 - suffix.length)
    const words = [String(length)]
    if (length < 128) words.push(printIpv6(address))
    if (length > 0) words.push(printName(takeName(reader)))
    return words.join(' ')
  },
}
