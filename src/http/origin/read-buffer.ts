/** Octets that one read from an origin's socket can bring. */
const READ_OCTETS = 65_536
/** how many buffers wait for the next large response: 4 MiB */
const LIMIT_SPARE = 64

/**
 * The memory that origin sockets read into.
 *
 * Most responses are short and are dealt with before the next read of any socket: all sockets share one buffer for
 * them, so that neither idle connections nor small responses cost memory. A socket whose response goes on has a
 * buffer of its own until the response has ended, and its octets can be handed on without a copy.
 */
export const sharedReadBuffer: Buffer = Buffer.allocUnsafeSlow(READ_OCTETS)

const spare: Buffer[] = []

/** A buffer for one socket, until it is given back. */
export function takeReadBuffer(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(READ_OCTETS)
}

/** Give a buffer back that nobody reads from or into any more. */
export function returnReadBuffer(buffer: Buffer): void {
  if (spare.length < LIMIT_SPARE) spare.push(buffer)
}
