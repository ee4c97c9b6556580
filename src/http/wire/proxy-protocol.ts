import { parseIpv4, parseIpv6 } from '#dns/wire/address.ts'

/** A client's end of its connection, and our port. */
export type ClientEnd = { readonly address: string; readonly port: number; readonly localPort: number }

const SIGNATURE = '\r\n\r\n\0\r\nQUIT\n'
const PROXY = '\x21'
const LOCAL = '\x20'
const TCP4 = '\x11'
const TCP6 = '\x21'

/**
 * What a connection to an origin begins with, so that the origin knows the client (PROXY protocol of HAProxy).
 *
 * Our own address, which origins do not look at, is the unspecified one.
 *
 * @param version 1 is a line of text, 2 is binary
 * @param client null for a connection of our own, such as a health check
 * @returns octets as Latin-1
 */
export function proxyHeader(version: 1 | 2, client: ClientEnd | null): string {
  const source = client === null ? undefined : (parseIpv4(client.address) ?? parseIpv6(client.address))
  if (client === null || source === undefined) {
    return version === 1 ? 'PROXY UNKNOWN\r\n' : `${SIGNATURE}${LOCAL}\0${sixteenBits(0)}`
  }
  const { address, port, localPort } = client
  const isFour = source.length === 4
  if (version === 1) {
    const [family, local] = isFour ? ['TCP4', '0.0.0.0'] : ['TCP6', '::']
    return `PROXY ${family} ${address} ${local} ${port} ${localPort}\r\n`
  }
  const local = '\0'.repeat(source.length)
  const block = `${String.fromCharCode(...source)}${local}${sixteenBits(port)}${sixteenBits(localPort)}`
  return `${SIGNATURE}${PROXY}${isFour ? TCP4 : TCP6}${sixteenBits(block.length)}${block}`
}

function sixteenBits(value: number): string {
  return String.fromCharCode(value >> 8, value & 0xff)
}
