import { parseNetwork } from '#core/network.ts'

/** What is known of an address, and of how many leading bits that depends. */
export type NetworkMatch<Value> = { readonly value: Value | undefined; readonly prefix: number }

/**
 * Values by network, found by the longest prefix that holds an address. IPv4 and IPv6 are told apart.
 *
 * A search ends where no network goes on, so that it also says for how wide a network the answer would be the same
 * (RFC 7871 §7.2.1).
 */
export class NetworkTree<Value> {
  /** for each branch the one for a 0 that follows, and the one for a 1; 0 where there is none */
  readonly #branches: number[] = [0, 0, 0, 0]
  /** by branch */
  readonly #values: (Value | undefined)[] = [undefined, undefined]

  /** @param entries networks (CIDR) that were checked before; others are left out */
  constructor(entries: Iterable<readonly [network: string, value: Value]>) {
    for (const [text, value] of entries) {
      const network = parseNetwork(text)
      if (network === undefined) continue
      const width = network.family === 4 ? 32 : 128
      let at = network.family === 4 ? IPV4 : IPV6
      for (let bit = 0; bit < network.prefix; bit++)
        at = this.#grow(at * 2 + ((network.bits >> BigInt(width - 1 - bit)) & 1n ? 1 : 0))
      this.#values[at] = value
    }
  }

  #grow(slot: number): number {
    const known = this.#branches[slot]!
    if (known > 0) return known
    this.#branches.push(0, 0)
    return (this.#branches[slot] = this.#values.push(undefined) - 1)
  }

  /**
   * Find the network of an address.
   *
   * @param address 4 or 16 octets
   * @param bits how many of them are known; the rest counts as zeros
   */
  find(address: Uint8Array, bits: number = address.length * 8): NetworkMatch<Value> {
    const branches = this.#branches
    const values = this.#values
    let at = address.length === 4 ? IPV4 : IPV6
    let value = values[at]
    for (let bit = 0; bit < bits; bit++) {
      const side = (address[bit >> 3]! >> (7 - (bit & 7))) & 1
      const next = branches[at * 2 + side]!
      if (next === 0) return { value, prefix: branches[at * 2 + 1 - side] === 0 ? bit : bit + 1 }
      at = next
      value = values[at] ?? value
    }
    return { value, prefix: bits }
  }
}

/** Branches that addresses begin at. */
const IPV4 = 0
const IPV6 = 1
