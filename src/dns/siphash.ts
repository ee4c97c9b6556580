/** The state of SipHash: four words of 64 bits, each as its upper and its lower half. One serves all. */
const v = new Uint32Array(8)
const mac = new Uint8Array(8)

/** What the words begin with: "somepseudorandomlygeneratedbytes". */
const INITIAL = [
  0x736f6d65, 0x70736575, 0x646f7261, 0x6e646f6d, 0x6c796765, 0x6e657261, 0x74656462, 0x79746573,
]

/**
 * SipHash-2-4 (RFC 9018 §4.4 wants it for cookies).
 *
 * @param key 16 octets
 * @param length octets of `message` that count
 * @returns 8 octets, overwritten by the next call
 */
export function sipHash(key: Uint8Array, message: Uint8Array, length: number): Uint8Array {
  for (let i = 0; i < 8; i++) v[i] = INITIAL[i]! ^ little32(key, [4, 0, 12, 8][i & 3]!)
  const whole = length - (length % 8)
  for (let at = 0; at < whole; at += 8) mix(little32(message, at + 4), little32(message, at))
  let high = (length & 0xff) << 24
  let low = 0
  for (let i = 0; i < length % 8; i++) {
    if (i < 4) low |= message[whole + i]! << (8 * i)
    else high |= message[whole + i]! << (8 * (i - 4))
  }
  mix(high, low)
  v[5]! ^= 0xff
  for (let i = 0; i < 4; i++) round()
  const words = [v[1]! ^ v[3]! ^ v[5]! ^ v[7]!, v[0]! ^ v[2]! ^ v[4]! ^ v[6]!]
  for (let i = 0; i < 8; i++) mac[i] = words[i >> 2]! >>> (8 * (i & 3))
  return mac
}

function mix(high: number, low: number): void {
  v[6]! ^= high
  v[7]! ^= low
  round()
  round()
  v[0]! ^= high
  v[1]! ^= low
}

function round(): void {
  add(0, 2)
  rotate(2, 13)
  xor(2, 0)
  rotate(0, 32)
  add(4, 6)
  rotate(6, 16)
  xor(6, 4)
  add(0, 6)
  rotate(6, 21)
  xor(6, 0)
  add(4, 2)
  rotate(2, 17)
  xor(2, 4)
  rotate(4, 32)
}

function add(to: number, from: number): void {
  const low = v[to + 1]! + v[from + 1]!
  v[to] = v[to]! + v[from]! + (low > 0xffffffff ? 1 : 0)
  v[to + 1] = low
}

function xor(to: number, from: number): void {
  v[to]! ^= v[from]!
  v[to + 1]! ^= v[from + 1]!
}

function rotate(word: number, bits: number): void {
  const high = v[word]!
  const low = v[word + 1]!
  v[word] = bits === 32 ? low : (high << bits) | (low >>> (32 - bits))
  v[word + 1] = bits === 32 ? high : (low << bits) | (high >>> (32 - bits))
}

function little32(octets: Uint8Array, at: number): number {
  return octets[at]! | (octets[at + 1]! << 8) | (octets[at + 2]! << 16) | (octets[at + 3]! << 24)
}
