/** What a client says first (RFC 8446 §4.1.2), as far as it chooses who answers. */
export type ClientHello = {
  /** empty when it named nobody (RFC 6066 §3) */
  readonly serverName: string
  /** in its order of preference (RFC 7301 §3.1) */
  readonly protocols: readonly string[]
  /** numbers of what it can do, in its order; `versions`, `groups` and `signatures` are empty where it says nothing */
  readonly ciphers: readonly number[]
  /** RFC 8446 §4.2.1 */
  readonly versions: readonly number[]
  /** elliptic curves and the like (RFC 8446 §4.2.7) */
  readonly groups: readonly number[]
  /** signature algorithms (RFC 8446 §4.2.3) */
  readonly signatures: readonly number[]
}

const HANDSHAKE = 0x16
const CLIENT_HELLO = 0x01
const SERVER_NAME = 0
const GROUPS = 10
const SIGNATURES = 13
const ALPN = 16
const VERSIONS = 43
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
  const ciphers = readNumbers(message.subarray(at), 2)
  at += 2 + message.readUInt16BE(at)
  at += 1 + message.readUInt8(at)
  const hello = {
    ...{ serverName: '', protocols: [] as readonly string[], ciphers },
    ...{ versions: [] as readonly number[], groups: [] as readonly number[] },
    signatures: [] as readonly number[],
  }
  // RFC 8446 §4.1.2: older clients may have none.
  const end = at === message.length ? at : at + 2 + message.readUInt16BE(at)
  for (at += 2; at < end; ) {
    const type = message.readUInt16BE(at)
    const start = at + 4
    at = start + message.readUInt16BE(at + 2)
    if (at > message.length) throw new RangeError('extension beyond the message')
    const data = message.subarray(start, at)
    if (type === SERVER_NAME)
      hello.serverName = data.toString('latin1', 5, 5 + data.readUInt16BE(3)).toLowerCase()
    if (type === ALPN) hello.protocols = readProtocols(data)
    if (type === VERSIONS) hello.versions = readNumbers(data, 1)
    if (type === GROUPS) hello.groups = readNumbers(data, 2)
    if (type === SIGNATURES) hello.signatures = readNumbers(data, 2)
  }
  return hello
}

/** Numbers of two octets, behind the length of them all. */
function readNumbers(data: Buffer, lengthOctets: 1 | 2): number[] {
  const end = lengthOctets + data.readUIntBE(0, lengthOctets)
  const numbers: number[] = []
  for (let at = lengthOctets; at < end; at += 2) numbers.push(data.readUInt16BE(at))
  return numbers
}

function readProtocols(data: Buffer): string[] {
  const protocols: string[] = []
  for (let at = 2; at < data.length; at += 1 + data.readUInt8(at)) {
    protocols.push(data.toString('latin1', at + 1, at + 1 + data.readUInt8(at)))
  }
  return protocols
}
