import { isIPv4, isIPv6 } from 'node:net'
import { asBuffer } from './octets.ts'

const DIGIT_ZERO = 0x30

/** Four octets from `192.0.2.1`, or undefined. */
export function parseIpv4(text: string): Uint8Array | undefined {
  if (!isIPv4(text)) return undefined
  // A loop over characters: a large zone has a million of them.
  const octets = new Uint8Array(4)
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - DIGIT_ZERO
    if (digit < 0) at++
    else octets[at] = octets[at]! * 10 + digit
  }
  return octets
}

/** `192.0.2.1` from four octets. */
export function printIpv4(octets: Uint8Array): string {
  return octets.join('.')
}

/** Sixteen octets from any form of RFC 4291 §2.2, or undefined; a zone index (`%eth0`) has no place in DNS. */
export function parseIpv6(text: string): Uint8Array | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined
  const lastColon = text.lastIndexOf(':')
  const tail = parseIpv4(text.slice(lastColon + 1))
  const groupsText = tail ? `${text.slice(0, lastColon)}:${hexGroup(tail, 0)}:${hexGroup(tail, 2)}` : text
  const [before = '', after] = groupsText.split('::')
  const left = splitGroups(before)
  const right = splitGroups(after ?? '')
  const octets = Buffer.alloc(16)
  for (const [i, group] of left.entries()) octets.writeUInt16BE(group, i * 2)
  for (const [i, group] of right.entries()) octets.writeUInt16BE(group, 16 - right.length * 2 + i * 2)
  return octets
}

function splitGroups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

/**
 * The octets of an address of a socket: 4, also of an IPv4 address in the form of an IPv6 one, or 16.
 *
 * @param text literal; what is none, such as the address of a socket that is closed, counts as 0.0.0.0
 */
export function addressOctets(text: string): Uint8Array {
  const octets = parseIpv4(text) ?? parseIpv6(text.replace(/%.*/, '')) ?? new Uint8Array(4)
  const isMapped = octets.length === 16 && octets[10] === 0xff && octets[11] === 0xff
  return isMapped && octets.subarray(0, 10).every((octet) => octet === 0) ? octets.subarray(12) : octets
}

/** The text of RFC 5952 §4 and §5: lower case, the longest run of zero groups as `::`. */
export function printIpv6(octets: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => hexGroup(octets, i * 2))
  if (groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff') return `::ffff:${printIpv4(octets.subarray(12))}`
  const run = longestZeroRun(groups)
  if (run.length < 2) return groups.join(':')
  return `${groups.slice(0, run.start).join(':')}::${groups.slice(run.start + run.length).join(':')}`
}

function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 }
  let length = 0
  for (const [i, group] of groups.entries()) {
    length = group === '0' ? length + 1 : 0
    if (length > longest.length) longest = { start: i - length + 1, length }
  }
  return longest
}

function hexGroup(octets: Uint8Array, at: number): string {
  return asBuffer(octets).readUInt16BE(at).toString(16)
}
