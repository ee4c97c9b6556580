import { cut, networkKey, parseNetwork } from '#core/network.ts'

/**
 * What stands for one client in tables: an IPv4 address, or the /64 of an IPv6 one, of which a client has as many
 * addresses as it likes (RFC 4291 §2.5.1).
 */
export function clientKey(address: string): string {
  if (!address.includes(':')) return address
  const network = parseNetwork(address)
  return network === undefined ? address : networkKey(cut(network, 64))
}
