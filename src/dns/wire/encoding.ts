import { asBuffer } from './octets.ts'

/** Octets of an even, positive number of digits; else undefined. */
export function parseHex(text: string): Uint8Array | undefined {
  return /^(?:[0-9A-Fa-f]{2})+$/.test(text) ? Buffer.from(text, 'hex') : undefined
}

/** Two digits an octet, upper case as RFC 4648 has it. */
export function printHex(octets: Uint8Array): string {
  return asBuffer(octets).toString('hex').toUpperCase()
}

/** Octets of text with its padding (RFC 4648 §4), not empty; else undefined. */
export function parseBase64(text: string): Uint8Array | undefined {
  const isBase64 = text !== '' && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  return isBase64 ? Buffer.from(text, 'base64') : undefined
}

/** The extended hex alphabet without padding (RFC 4648 §7, RFC 5155 §3.3). */
const BASE32 = '0123456789ABCDEFGHIJKLMNOPQRSTUV'

/** Whole octets, else undefined. */
export function parseBase32(text: string): Uint8Array | undefined {
  if (!/^[0-9A-Va-v]+$/.test(text)) return undefined
  const octets: number[] = []
  let bits = 0
  let held = 0
  for (const digit of text.toUpperCase()) {
    held = ((held << 5) | BASE32.indexOf(digit)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    octets.push((held >> bits) & 0xff)
  }
  // 5 or more bits left over, or bits that are not zero, are no end of whole octets (RFC 4648 §3.5).
  return bits < 5 && (held & ((1 << bits) - 1)) === 0 ? Uint8Array.from(octets) : undefined
}

/** Upper case, without padding. */
export function printBase32(octets: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const octet of octets) {
    held = ((held << 8) | octet) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(held >> (bits - 5)) & 31]
  }
  return bits > 0 ? text + BASE32[(held << (5 - bits)) & 31] : text
}
