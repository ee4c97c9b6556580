import { EOS, HUFFMAN_BITS, HUFFMAN_CODES } from './hpack-tables.ts'

/**
 * Decode a Huffman-coded string (RFC 7541 §5.2).
 *
 * @param into has room for twice the coded octets and two more
 * @returns octets written, or -1 when EOS is coded or the end is not padded with fewer than eight 1 bits
 */
export function decodeHuffman(octets: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let state = 0
  let at = 0
  for (let i = start; i < end; i++) {
    const step = STEPS[(state << 8) | octets[i]!]!
    // Writing what may not be complete costs less than asking: it is written over.
    into[at] = step
    into[at + 1] = step >>> 8
    at += (step >>> COUNT_SHIFT) & 3
    state = step >>> STATE_SHIFT
  }
  return IS_END[state] === 1 ? at : -1
}

/** Octets that `text` takes when it is Huffman-coded. @param text Latin-1 */
export function huffmanLength(text: string): number {
  let bits = 0
  for (let i = 0; i < text.length; i++) bits += HUFFMAN_BITS[text.charCodeAt(i) & 255]!
  return (bits + 7) >>> 3
}

/**
 * Write `text` Huffman-coded (RFC 7541 §5.2).
 *
 * @param text Latin-1
 * @param into has room for four times the text
 * @returns the offset after it
 */
export function encodeHuffman(text: string, into: Uint8Array, start: number): number {
  let at = start
  /** the last `count` bits of it are not written yet: fewer than 16 between symbols */
  let pending = 0
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 255
    const code = HUFFMAN_CODES[symbol]!
    let bits = HUFFMAN_BITS[symbol]!
    if (bits > 16) {
      // A long code goes in two parts: 32 bits would not hold it beside what is pending.
      bits -= 16
      pending = (pending << bits) | (code >>> 16)
      count += bits
      if (count >= 16) at = writeSixteen(into, at, pending >>> (count -= 16))
      bits = 16
    }
    pending = (pending << bits) | (code & 0xffff)
    count += bits
    if (count >= 16) at = writeSixteen(into, at, pending >>> (count -= 16))
  }
  if (count >= 8) into[at++] = pending >>> (count -= 8)
  // The padding is the beginning of EOS: ones.
  if (count > 0) into[at++] = (pending << (8 - count)) | (255 >>> count)
  return at
}

function writeSixteen(into: Uint8Array, at: number, bits: number): number {
  into[at] = bits >>> 8
  into[at + 1] = bits
  return at + 2
}

/**
 * The decoder is a machine that takes an octet at a time. Its states are the inner nodes of the code tree, where 0 is
 * the root, and one that nothing leaves, for what may not come.
 *
 * A step holds the octets that are complete, at most two as no code is shorter than five bits; how many; and the state.
 */
const COUNT_SHIFT = 16
const STATE_SHIFT = 18
const FAILED = 256

/** `STEPS[state * 256 + octet]` */
const STEPS = new Uint32Array((FAILED + 1) * 256)
/** States where a string may end: at the root, or fewer than eight 1 bits below it. */
const IS_END = new Uint8Array(FAILED + 1)
fillSteps()

function fillSteps(): void {
  const tree = buildTree()
  for (let state = 0; state <= FAILED; state++) {
    for (let octet = 0; octet < 256; octet++) STEPS[state * 256 + octet] = stepFrom(tree, state, octet)
  }
  for (let state = 0, depth = 0; depth < 8; depth++) {
    IS_END[state] = 1
    state = tree[state * 2 + 1]!
  }
}

function stepFrom(tree: Int32Array, state: number, octet: number): number {
  let node = state
  let complete = 0
  let count = 0
  for (let bit = 7; bit >= 0; bit--) {
    if (node === FAILED) return FAILED << STATE_SHIFT
    const next = tree[node * 2 + ((octet >>> bit) & 1)]!
    if (next >= 0) node = next
    else if (~next === EOS) node = FAILED
    else {
      complete |= ~next << (8 * count++)
      node = 0
    }
  }
  return (node << STATE_SHIFT) | (count << COUNT_SHIFT) | complete
}

/** `tree[2 * node + bit]`: the inner node below, or the complement of the symbol. */
function buildTree(): Int32Array {
  const tree = new Int32Array(FAILED * 2)
  let nodes = 1
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let node = 0
    for (let bit = HUFFMAN_BITS[symbol]! - 1; bit > 0; bit--) {
      const branch = node * 2 + ((HUFFMAN_CODES[symbol]! >>> bit) & 1)
      if (tree[branch] === 0) tree[branch] = nodes++
      node = tree[branch]!
    }
    tree[node * 2 + (HUFFMAN_CODES[symbol]! & 1)] = ~symbol
  }
  return tree
}
