import { elementAt, type Found } from '#tls/wire/der.ts'

const INTEGER = 0x02
const BIT_STRING = 0x03
const SEQUENCE = 0x30

/**
 * Read how long a public key of RSA is: an RSAPublicKey, or one in a SubjectPublicKeyInfo, which is what everybody
 * writes (RFC 6376 §3.6.1).
 *
 * @returns bits of the modulus; undefined when the octets are no such key
 */
export function rsaBits(octets: Uint8Array): number | undefined {
  try {
    const outer = expect(octets, 0, SEQUENCE)
    const first = elementAt(octets, outer.start)
    if (first.tag === INTEGER) return bitsOf(octets, first)
    // AlgorithmIdentifier, then a bit string that holds the key behind its count of unused bits.
    const key = expect(octets, first.end, BIT_STRING)
    const inner = expect(octets, key.start + 1, SEQUENCE)
    return bitsOf(octets, expect(octets, inner.start, INTEGER))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function expect(octets: Uint8Array, offset: number, tag: number): Found {
  const found = elementAt(octets, offset)
  if (found.tag !== tag) throw new RangeError(`The element at ${offset} has the tag ${found.tag}`)
  return found
}

function bitsOf(octets: Uint8Array, { start, end }: Found): number {
  let at = start
  while (at < end && octets[at] === 0) at++
  return at === end ? 0 : (end - at) * 8 - Math.clz32(octets[at]!) + 24
}
