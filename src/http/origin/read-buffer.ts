/** Octets that one read from an origin's socket can bring. */
const READ_OCTETS = 65_536
/** the same for a large response: each read wakes the origin, and each write the client, which costs more than a copy */
const LARGE_OCTETS = 524_288
/** how many large responses at a time have as much: 32 MiB; more of them keep the sockets busy with less */
const LIMIT_LARGE = 64
/** Of these, the ones that any response may have: clients who have paused keep theirs, and quick ones need some then. */
const LIMIT_COMMON = 48
/** how many buffers wait for the next large response: 4 MiB */
const LIMIT_SPARE = 8

/**
 * The memory that origin sockets read into.
 *
 * Most responses are short and are dealt with before the next read of any socket: all sockets share one buffer for
 * them, so that neither idle connections nor small responses cost memory. A socket whose response goes on has a
 * buffer of its own until the response has ended, and its octets can be handed on without a copy.
 */
export const sharedReadBuffer: Buffer = Buffer.allocUnsafeSlow(READ_OCTETS)

const spare: Buffer[] = []
/** large buffers that exist, those in `spare` too */
let large = 0

/** A buffer for one socket, until it is given back or dropped. */
export function takeReadBuffer(): Buffer {
  const waiting = spare.pop()
  if (waiting !== undefined) return waiting
  if (large >= LIMIT_COMMON) return Buffer.allocUnsafeSlow(READ_OCTETS)
  large++
  return Buffer.allocUnsafeSlow(LARGE_OCTETS)
}

/** A larger buffer for a response that has shown to be large and quick, or the one that it has. */
export function enlargeReadBuffer(buffer: Buffer): Buffer {
  if (buffer.length === LARGE_OCTETS || large >= LIMIT_LARGE) return buffer
  large++
  return Buffer.allocUnsafeSlow(LARGE_OCTETS)
}

/** Give a buffer back that nobody reads from or into any more. */
export function returnReadBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE_OCTETS && spare.length < LIMIT_SPARE) spare.push(buffer)
  else dropReadBuffer(buffer)
}

/** Leave a buffer to whoever still reads from it. */
export function dropReadBuffer(buffer: Buffer): void {
  if (buffer.length === LARGE_OCTETS) large--
}
