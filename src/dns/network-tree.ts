import { parseNetwork } from '#core/network.ts'

type Branch<Value> = {
  value: Value | undefined
  children: [Branch<Value> | undefined, Branch<Value> | undefined]
}

/** What is known of an address, and of how many leading bits that depends. */
export type NetworkMatch<Value> = { readonly value: Value | undefined; readonly prefix: number }

/**
 * Values by network, found by the longest prefix that holds an address. IPv4 and IPv6 are told apart.
 *
 * A search ends where no network goes on, so that it also says for how wide a network the answer would be the same
 * (RFC 7871 §7.2.1).
 */
export class NetworkTree<Value> {
  readonly #roots: Readonly<Record<4 | 16, Branch<Value>>> = { 4: branch(), 16: branch() }

  /** @param entries networks (CIDR) that were checked before; others are left out */
  constructor(entries: Iterable<readonly [network: string, value: Value]>) {
    for (const [text, value] of entries) {
      const network = parseNetwork(text)
      if (network === undefined) continue
      const width = network.family === 4 ? 32 : 128
      let at = this.#roots[network.family === 4 ? 4 : 16]
      for (let bit = 0; bit < network.prefix; bit++) {
        const side = (network.bits >> BigInt(width - 1 - bit)) & 1n ? 1 : 0
        at = at.children[side] ??= branch()
      }
      at.value = value
    }
  }

  /**
   * Find the network of an address.
   *
   * @param address 4 or 16 octets
   * @param bits how many of them are known; the rest counts as zeros
   */
  find(address: Uint8Array, bits: number = address.length * 8): NetworkMatch<Value> {
    let at = this.#roots[address.length === 4 ? 4 : 16]
    let value = at.value
    for (let bit = 0; bit < bits; bit++) {
      const next = at.children[(address[bit >> 3]! >> (7 - (bit & 7))) & 1]
      const isLeaf = at.children[0] === undefined && at.children[1] === undefined
      if (next === undefined) return { value, prefix: isLeaf ? bit : bit + 1 }
      at = next
      value = at.value ?? value
    }
    return { value, prefix: bits }
  }
}

function branch<Value>(): Branch<Value> {
  return { value: undefined, children: [undefined, undefined] }
}
