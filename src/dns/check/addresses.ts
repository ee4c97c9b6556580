import { BlockList, isIPv6 } from 'node:net'
import type { Problem } from '#core/problem.ts'
import { isPrivateName } from '#dns/records/special-names.ts'
import { type OwnerNode, say, warning } from './finding.ts'

/** Addresses that mean another machine in each network: RFC 1918 §3, RFC 6598 §7, RFC 4193 §3, RFC 6890 §2.2.2. */
const LOCAL_NETWORKS: readonly (readonly [string, number])[] = [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
]

const local = new BlockList()
for (const [address, prefix] of LOCAL_NETWORKS)
  local.addSubnet(address, prefix, isIPv6(address) ? 'ipv6' : 'ipv4')

/** How the IPv4 networks of them begin: the list asks the system for each address, and a file may have a million. */
const LOCAL_IPV4 = /^(?:10|100|127|169|172|192)\./

/** Whether an address is reached from its own network only. */
export function isPrivateAddress(address: string): boolean {
  if (address.includes(':')) return local.check(address, 'ipv6')
  return LOCAL_IPV4.test(address) && local.check(address, 'ipv4')
}

/** The world asks a public zone, and reaches nobody at a private address (RFC 1918 §3). */
export function checkAddresses({ owner, types }: OwnerNode): Problem[] {
  return ['A', 'AAAA'].flatMap((type) => {
    const draft = types.get(type)?.find(({ why, data }) => why === 'written' && isPrivateAddress(data))
    if (draft === undefined || isPrivateName(owner)) return []
    const message = `"${say(owner)}" has the address ${draft.data}, which only its own network reaches, in a zone that the world asks (RFC 1918 §3).`
    return [
      warning(
        'dns/private-address',
        draft.from,
        message,
        'a public address, or a domain of its own such as "home.arpa"',
      ),
    ]
  })
}
