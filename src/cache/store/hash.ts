/**
 * The hash of a key, 64 bits: HalfSipHash-1-3 over its code units as octets.
 *
 * Keyed, because clients choose what is asked for: without the secret nobody finds keys that fall in one bucket.
 *
 * @param seed two words that nobody outside knows
 * @param out gets the low and the high word
 * @example hashKey('https://example.com/', seed, out)
 */
export function hashKey(key: string, seed: Int32Array, out: Int32Array): void {
  const words = (key.length >> 2) + 1
  let v0 = seed[0]!
  let v1 = seed[1]! ^ 0xee
  let v2 = seed[0]! ^ 0x6c796765
  let v3 = seed[1]! ^ 0x74656462
  // Words of the key, then twice three rounds without a word: one loop, so that the round stands here once.
  for (let step = 0; step < words + 6; step++) {
    if (step === words) v2 ^= 0xee
    if (step === words + 3) {
      out[0] = v1 ^ v3
      v1 ^= 0xdd
    }
    const word = step < words ? wordAt(key, step << 2) : 0
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  out[1] = v1 ^ v3
}

/** The low hash of a key up to its first space: the same for all that stands under one URI. */
export function hashStem(key: string, seed: Int32Array): number {
  const end = key.indexOf(' ')
  hashKey(end < 0 ? key : key.slice(0, end), seed, stem)
  return stem[0]!
}

const stem = new Int32Array(2)

/** Four code units; the last word of a key also holds its length. */
function wordAt(key: string, at: number): number {
  if (at + 4 <= key.length) {
    return (
      key.charCodeAt(at) |
      (key.charCodeAt(at + 1) << 8) |
      (key.charCodeAt(at + 2) << 16) |
      (key.charCodeAt(at + 3) << 24)
    )
  }
  let word = key.length << 24
  for (let shift = 0; at < key.length; at++, shift += 8) word ^= key.charCodeAt(at) << shift
  return word
}
