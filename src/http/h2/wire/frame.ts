/** Octets of a frame's head (RFC 9113 §4.1). */
export const HEAD_OCTETS = 9
/** What clients send first (RFC 9113 §3.4), before SETTINGS. */
export const PREFACE: Buffer = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

// The types of frames.

/** Content (RFC 9113 §6.1). */
export const DATA = 0x0
/** The beginning of a field block, which opens a stream (RFC 9113 §6.2). */
export const HEADERS = 0x1
/** Priorities of RFC 7540, deprecated (RFC 9113 §6.3). */
export const PRIORITY = 0x2
/** The end of a stream before its time (RFC 9113 §6.4). */
export const RST_STREAM = 0x3
/** What the sender takes (RFC 9113 §6.5). */
export const SETTINGS = 0x4
/** Never from a client (RFC 9113 §8.4). */
export const PUSH_PROMISE = 0x5
/** Is anybody there (RFC 9113 §6.7). */
export const PING = 0x6
/** No more streams (RFC 9113 §6.8). */
export const GOAWAY = 0x7
/** Room for more content (RFC 9113 §6.9). */
export const WINDOW_UPDATE = 0x8
/** More of a field block (RFC 9113 §6.10). */
export const CONTINUATION = 0x9
/** Another Priority for a response (RFC 9218 §7.1). */
export const PRIORITY_UPDATE = 0x10

// The flags; what one means depends on the type.

/** DATA, HEADERS: nothing follows on the stream but CONTINUATION. */
export const END_STREAM = 0x1
/** SETTINGS, PING: the answer to one. */
export const ACK = 0x1
/** HEADERS, CONTINUATION: the field block ends here. */
export const END_HEADERS = 0x4
/** DATA, HEADERS: padding stands around the payload. */
export const PADDED = 0x8
/** HEADERS: priorities of RFC 7540 stand before the field block. */
export const HAS_PRIORITY = 0x20

/** Write the head of a frame (RFC 9113 §4.1). @returns the offset after it */
export function writeFrameHead(
  into: Uint8Array,
  at: number,
  lengthOctets: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  into[at] = lengthOctets >>> 16
  into[at + 1] = lengthOctets >>> 8
  into[at + 2] = lengthOctets
  into[at + 3] = type
  into[at + 4] = flags
  return writeUint32(into, at + 5, streamId)
}

/** A field block: the first `length` octets of `block`, as an HpackEncoder has them. */
export type FieldBlock = { readonly block: Buffer; readonly length: number }

/**
 * Write a field block as HEADERS and, where it is longer than the peer takes, CONTINUATION (RFC 9113 §4.3).
 *
 * Needs room for the block and HEAD_OCTETS for each `maxFrameOctets` begun.
 *
 * @param flags END_STREAM or 0
 * @returns the offset after the last frame
 */
export function writeFieldBlock(
  into: Uint8Array,
  at: number,
  { block, length }: FieldBlock,
  streamId: number,
  flags: number,
  maxFrameOctets: number,
): number {
  let next = at
  let used = 0
  do {
    const part = Math.min(maxFrameOctets, length - used)
    const ends = used + part === length ? END_HEADERS : 0
    next =
      used === 0
        ? writeFrameHead(into, next, part, HEADERS, flags | ends, streamId)
        : writeFrameHead(into, next, part, CONTINUATION, ends, streamId)
    block.copy(into, next, used, used + part)
    next += part
    used += part
  } while (used < length)
  return next
}

/** Write RST_STREAM (RFC 9113 §6.4): 13 octets. @returns the offset after it */
export function writeRstStream(into: Uint8Array, at: number, streamId: number, code: number): number {
  return writeUint32(into, writeFrameHead(into, at, 4, RST_STREAM, 0, streamId), code)
}

/** Write WINDOW_UPDATE (RFC 9113 §6.9): 13 octets. @returns the offset after it */
export function writeWindowUpdate(into: Uint8Array, at: number, streamId: number, increment: number): number {
  return writeUint32(into, writeFrameHead(into, at, 4, WINDOW_UPDATE, 0, streamId), increment)
}

/** Write PING (RFC 9113 §6.7): 17 octets. @param flags ACK or 0 @returns the offset after it */
export function writePing(into: Uint8Array, at: number, opaque: Uint8Array, flags: number): number {
  const start = writeFrameHead(into, at, 8, PING, flags, 0)
  into.set(opaque.subarray(0, 8), start)
  return start + 8
}

/** Write GOAWAY (RFC 9113 §6.8): 17 octets and the debug text. @returns the offset after it */
export function writeGoaway(
  into: Uint8Array,
  at: number,
  lastStreamId: number,
  code: number,
  debug: string,
): number {
  const text = Buffer.from(debug, 'latin1')
  const start = writeFrameHead(into, at, 8 + text.length, GOAWAY, 0, 0)
  into.set(text, writeUint32(into, writeUint32(into, start, lastStreamId), code))
  return start + 8 + text.length
}

/** Write 32 bits in network order. @returns the offset after them */
export function writeUint32(into: Uint8Array, at: number, value: number): number {
  into[at] = value >>> 24
  into[at + 1] = value >>> 16
  into[at + 2] = value >>> 8
  into[at + 3] = value
  return at + 4
}

/** Read 32 bits in network order. */
export function readUint32(octets: Uint8Array, at: number): number {
  return readUint31(octets, at) + (octets[at]! & 0x80) * 0x1000000
}

/** Read 31 bits in network order, whatever the reserved bit before them says (RFC 9113 §4.1). */
export function readUint31(octets: Uint8Array, at: number): number {
  return ((octets[at]! & 0x7f) << 24) | (octets[at + 1]! << 16) | (octets[at + 2]! << 8) | octets[at + 3]!
}
