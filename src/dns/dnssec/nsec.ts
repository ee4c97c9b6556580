import { LABEL_LIMIT, NAME_LIMIT } from '../wire/name.ts'
import { TYPE } from '../wire/types.ts'

/** Types that every NSEC of ours names beside those of the owner (RFC 4034 §4.1.2). */
const ALWAYS: readonly number[] = [TYPE.RRSIG, TYPE.NSEC]

/**
 * Rdata of an NSEC record (RFC 4034 §4.1).
 *
 * @param next wire form, lower case
 * @param types of the owner; RRSIG and NSEC are added
 */
export function nsecRdata(next: Uint8Array, types: readonly number[]): Buffer {
  return Buffer.concat([next, typeBitmap([...types, ...ALWAYS])])
}

/** Blocks of 256 types, each with its number, its length and a bit for each type (RFC 4034 §4.1.2). */
function typeBitmap(types: readonly number[]): Buffer {
  const windows = new Map<number, Buffer>()
  for (const type of [...types].sort((a, b) => a - b)) {
    const window = type >> 8
    const bits = windows.get(window) ?? Buffer.alloc(32)
    bits[(type & 0xff) >> 3]! |= 0x80 >> (type & 7)
    windows.set(window, bits)
  }
  return Buffer.concat(
    [...windows].flatMap(([window, bits]) => [
      Buffer.of(window, lengthOf(bits)),
      bits.subarray(0, lengthOf(bits)),
    ]),
  )
}

function lengthOf(bits: Buffer): number {
  return bits.findLastIndex((octet) => octet !== 0) + 1
}

/**
 * The name that follows at once in canonical order (RFC 4471 §3.1.1): the label of one zero octet before it, which lies
 * below it (RFC 9824 §3.1); where a name cannot grow, the next one beside it.
 *
 * @param name wire form, lower case, not the root's
 */
export function nameAfter(name: Uint8Array): Uint8Array {
  if (name.length + 2 <= NAME_LIMIT) return Buffer.concat([Buffer.of(1, 0), name])
  const label = labelOf(name)
  if (name.length < NAME_LIMIT && label.length < LABEL_LIMIT)
    return Buffer.concat([Buffer.of(label.length + 1), label, Buffer.of(0), name.subarray(1 + label.length)])
  return nameBeside(name)
}

/** The first name that is neither before, nor the name, nor below it. */
function nameBeside(name: Uint8Array): Uint8Array {
  const label = labelOf(name)
  const rest = name.subarray(1 + label.length)
  const last = label.findLastIndex((octet) => octet !== 0xff)
  if (last === -1) return nameBeside(rest)
  const AT = 0x40
  // Names have no upper case here, so "[" comes after "@".
  const octet = label[last] === AT ? 0x5b : label[last]! + 1
  return Buffer.concat([Buffer.of(last + 1), label.subarray(0, last), Buffer.of(octet), rest])
}

function labelOf(name: Uint8Array): Uint8Array {
  return name.subarray(1, 1 + name[0]!)
}
