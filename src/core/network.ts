import { isIP } from 'node:net'

/** Addresses that begin with the same bits. */
export type Network = {
  readonly family: 4 | 6
  /** the address as a number, its host bits zero */
  readonly bits: bigint
  /** length of the prefix in bits */
  readonly prefix: number
}

const WIDTH = { 4: 32, 6: 128 } as const

/**
 * Read an address or a network with the length of its prefix (RFC 4632 §3.1).
 *
 * @returns undefined for anything else, a zone identifier too
 * @example parseNetwork('10.1.2.3/8') // { family: 4, bits: 0x0a000000n, prefix: 8 }
 */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  if ((family !== 4 && family !== 6) || address.includes('%') || rest.length > 0) return undefined
  const length = prefix === undefined ? WIDTH[family] : Number(prefix)
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || length > WIDTH[family])) return undefined
  return cut(
    { family, bits: family === 4 ? ipv4Bits(address) : ipv6Bits(address), prefix: WIDTH[family] },
    length,
  )
}

/** The network of that prefix around another. */
export function cut({ family, bits }: Network, prefix: number): Network {
  const hostBits = BigInt(WIDTH[family] - prefix)
  return { family, bits: (bits >> hostBits) << hostBits, prefix }
}

/** A text that equal networks share, however they were written. */
export function networkKey({ family, bits, prefix }: Network): string {
  return `${family}:${bits.toString(16)}/${prefix}`
}

function ipv4Bits(text: string): bigint {
  return BigInt(text.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0))
}

/** The text is an address: `isIP` said so. */
function ipv6Bits(text: string): bigint {
  const [head = '', tail] = text.split('::')
  const front = groupsOf(head)
  const back = tail === undefined ? [] : groupsOf(tail)
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => 0n)
  return [...front, ...zeros, ...back].reduce((sum, group) => (sum << 16n) | group, 0n)
}

function groupsOf(text: string): bigint[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)]
    // RFC 4291 §2.2: the last 32 bits may be written as an IPv4 address.
    const bits = ipv4Bits(group)
    return [bits >> 16n, bits & 0xffffn]
  })
}
