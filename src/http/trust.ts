import { BlockList, isIP } from 'node:net'

/**
 * Compile networks to a question: is this address in one of them?
 *
 * @param networks addresses or CIDR blocks of IPv4 and IPv6, checked before; others never match
 * @example createTrust(['10.0.0.0/8'])('10.1.2.3') // true
 */
export function createTrust(networks: readonly string[]): (address: string) => boolean {
  if (networks.length === 0) return () => false
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const version = isIP(address)
    if (version === 0) continue
    const bits = version === 4 ? 32 : 128
    list.addSubnet(address, prefix === undefined ? bits : Number(prefix), version === 4 ? 'ipv4' : 'ipv6')
  }
  return (address) => list.check(address, address.includes(':') ? 'ipv6' : 'ipv4')
}

/** Whether a text is an address, or a network with the length of its prefix (RFC 4632 §3.1). */
export function isNetwork(text: string): boolean {
  const [address = '', prefix = '0', ...rest] = text.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  return rest.length === 0 && !address.includes('%') && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits
}
