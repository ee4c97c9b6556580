import { parseIpv4, parseIpv6, printIpv4, printIpv6 } from '#dns/wire/address.ts'
import type { ClientEnd } from './proxy-protocol.ts'
import { type Refusal, refuse } from './refusal.ts'

/** What a connection of a proxy begins with. */
export type ProxyHeader = {
  /** octets that it takes */
  readonly lengthOctets: number
  /** the client of the proxy; `null` when the connection is the proxy's own, such as a health check */
  readonly client: ClientEnd | null
}

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** signature, version and command, family, length */
const FIXED_OCTETS = 16
/** The longest line there can be, with CRLF. */
const LIMIT_LINE_OCTETS = 107
/** Addresses take 36; what a proxy adds behind them (certificates, names) is passed over. */
const LIMIT_BLOCK_OCTETS = 4096
const LOCAL = 0x20
const PROXY = 0x21
const TCP4 = 0x11
const TCP6 = 0x21

/**
 * Read what a proxy says of its client, in version 1 or 2 of the PROXY protocol of HAProxy.
 *
 * Strict: a header that could be read in two ways is refused, since whoever it names may be let in.
 *
 * @param octets all that has come
 * @returns undefined while more must come
 * @example readProxyHeader(Buffer.from('PROXY TCP4 203.0.113.7 10.0.0.1 50000 443\r\n')) // { lengthOctets: 43, … }
 */
export function readProxyHeader(octets: Buffer): ProxyHeader | Refusal | undefined {
  if (octets.length === 0) return undefined
  return octets[0] === SIGNATURE[0] ? readBinary(octets) : readLine(octets)
}

function readLine(octets: Buffer): ProxyHeader | Refusal | undefined {
  const end = octets.subarray(0, LIMIT_LINE_OCTETS).indexOf('\r\n')
  const line = octets.toString('latin1', 0, end < 0 ? LIMIT_LINE_OCTETS : end)
  if (!(line.startsWith('PROXY ') || 'PROXY '.startsWith(line)))
    return broken('it begins with neither version')
  if (end < 0) return octets.length < LIMIT_LINE_OCTETS ? undefined : broken('the line does not end')
  const lengthOctets = end + 2
  // Whatever follows UNKNOWN is passed over.
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return { lengthOctets, client: null }
  const [, family, source = '', local = '', ...ports] = line.split(' ')
  const parse = family === 'TCP4' ? parseIpv4 : family === 'TCP6' ? parseIpv6 : undefined
  if (parse === undefined) return broken('the family is not TCP4, TCP6 or UNKNOWN')
  const address = parse(source)
  if (address === undefined || parse(local) === undefined) return broken(`an address is not one of ${family}`)
  if (ports.length !== 2 || !ports.every(isPort)) return broken('there are not two ports')
  const [port, localPort] = ports.map(Number) as [number, number]
  return { lengthOctets, client: { address: printAddress(address), port, localPort } }
}

function readBinary(octets: Buffer): ProxyHeader | Refusal | undefined {
  const known = Math.min(octets.length, SIGNATURE.length)
  if (SIGNATURE.compare(octets, 0, known, 0, known) !== 0)
    return broken('the signature is not that of version 2')
  if (octets.length < FIXED_OCTETS) return undefined
  const command = octets[12]!
  const family = octets[13]!
  const blockOctets = octets.readUInt16BE(14)
  if (command !== PROXY && command !== LOCAL) return broken('version and command are not known')
  if (blockOctets > LIMIT_BLOCK_OCTETS) return broken(`more than ${LIMIT_BLOCK_OCTETS} octets follow`)
  const lengthOctets = FIXED_OCTETS + blockOctets
  if (octets.length < lengthOctets) return undefined
  // Of other families, such as Unix sockets, nothing is known that a client is told by.
  if (command === LOCAL || (family !== TCP4 && family !== TCP6)) return { lengthOctets, client: null }
  const size = family === TCP4 ? 4 : 16
  if (blockOctets < 2 * size + 4) return broken('the addresses are cut off')
  const address = printAddress(octets.subarray(FIXED_OCTETS, FIXED_OCTETS + size))
  const ports = FIXED_OCTETS + 2 * size
  const client = { address, port: octets.readUInt16BE(ports), localPort: octets.readUInt16BE(ports + 2) }
  return { lengthOctets, client }
}

/** IPv4 addresses that came mapped into IPv6 as they are. */
function printAddress(octets: Uint8Array): string {
  if (octets.length === 4) return printIpv4(octets)
  return printIpv6(octets).replace(/^::ffff:(?=\d+\.)/, '')
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

function broken(why: string): Refusal {
  return refuse(400, `the PROXY header cannot be read: ${why}`)
}
