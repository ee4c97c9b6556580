/** What a client says first (RFC 8446 §4.1.2), as far as it chooses who answers. */
export type ClientHello = {
  /** empty when it named nobody (RFC 6066 §3) */
  readonly serverName: string
  /** in its order of preference (RFC 7301 §3.1) */
  readonly protocols: readonly string[]
}

const HANDSHAKE = 0x16
const CLIENT_HELLO = 0x01
const SERVER_NAME = 0
const ALPN = 16
/** A record carries so much at most (RFC 8446 §5.1); a ClientHello of more is nothing that an authority sends. */
const RECORD_LIMIT = 16_384

/**
 * Read the ClientHello at the beginning of a connection.
 *
 * @param octets what came until now
 * @returns 'more' while its record is not complete; null for anything else than a ClientHello in one record
 */
export function readClientHello(octets: Buffer): ClientHello | 'more' | null {
  if (octets.length < 5) return octets.length === 0 || octets[0] === HANDSHAKE ? 'more' : null
  const length = octets.readUInt16BE(3)
  if (octets[0] !== HANDSHAKE || length > RECORD_LIMIT || length < 4) return null
  if (octets.length < 5 + length) return 'more'
  const message = octets.subarray(5, 5 + length)
  if (message[0] !== CLIENT_HELLO || message.readUIntBE(1, 3) !== length - 4) return null
  try {
    return readExtensions(message)
  } catch (error) {
    // Lengths that lead outside are caught by the buffer.
    if (error instanceof RangeError) return null
    throw error
  }
}

function readExtensions(message: Buffer): ClientHello {
  // Type and length (4), version (2), random (32); then three vectors (RFC 8446 §4.1.2).
  let at = 38
  at += 1 + message.readUInt8(at)
  at += 2 + message.readUInt16BE(at)
  at += 1 + message.readUInt8(at)
  const end = at + 2 + message.readUInt16BE(at)
  let serverName = ''
  let protocols: readonly string[] = []
  for (at += 2; at < end; ) {
    const type = message.readUInt16BE(at)
    const start = at + 4
    at = start + message.readUInt16BE(at + 2)
    if (at > message.length) throw new RangeError('extension beyond the message')
    const data = message.subarray(start, at)
    if (type === SERVER_NAME) serverName = data.toString('latin1', 5, 5 + data.readUInt16BE(3))
    if (type === ALPN) protocols = readProtocols(data)
  }
  return { serverName: serverName.toLowerCase(), protocols }
}

function readProtocols(data: Buffer): string[] {
  const protocols: string[] = []
  for (let at = 2; at < data.length; at += 1 + data.readUInt8(at)) {
    protocols.push(data.toString('latin1', at + 1, at + 1 + data.readUInt8(at)))
  }
  return protocols
}
