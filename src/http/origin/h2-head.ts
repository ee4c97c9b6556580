import { createHash } from 'node:crypto'
import { type Fields, fieldsOf, NameSet } from '../wire/fields.ts'

/**
 * Say a request head of HTTP/1.1 in HTTP/2 (RFC 9113 §8.2.2, §8.3.1): what concerned the connection stays behind.
 *
 * @param head written by us: request line, field lines and the empty line
 * @param isTunnel GET with Upgrade becomes an extended CONNECT (RFC 8441 §5)
 * @returns names and values in turn, pseudo-header fields first
 * @example http2Head('GET /a HTTP/1.1\r\nHost: b\r\n\r\n', 'http', false) // [':method', 'GET', ':scheme', 'http', …]
 */
export function http2Head(head: string, scheme: 'http' | 'https', isTunnel: boolean): string[] {
  const lines = head.split('\r\n')
  const [method = '', path = ''] = lines[0]!.split(' ')
  const regular: string[] = []
  let authority = ''
  let protocol = ''
  for (let i = 1; i < lines.length - 2; i++) {
    const line = lines[i]!
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    if (name === 'host') authority = value
    else if (name === 'upgrade') protocol = value
    else if (!LEFT_OUT.has(name, 0, name.length)) regular.push(name, value)
  }
  const asked = isTunnel ? [':method', 'CONNECT', ':protocol', protocol] : [':method', method]
  return [...asked, ':scheme', scheme, ':authority', authority, ':path', path, ...regular]
}

/**
 * The fields of a response that opens a tunnel, as a client of HTTP/1.1 expects them (RFC 6455 §4.2.2).
 *
 * @param requestHead what the client asked, as HTTP/1.1
 */
export function withAccept(fields: Fields, requestHead: string): Fields {
  const key = /^sec-websocket-key:[ \t]*(\S+)/im.exec(requestHead)?.[1]
  const pairs: [string, string][] = []
  if (key !== undefined) pairs.push(['Sec-WebSocket-Accept', acceptOf(key)])
  fields.each((name, value) => pairs.push([name, value]))
  return fieldsOf(pairs)
}

/**
 * The regular fields of a response or of its trailers.
 *
 * @param pairs names and values in turn, as they came
 */
export function regularFields(pairs: readonly string[]): Fields {
  const fields: [string, string][] = []
  for (let i = 0; i + 1 < pairs.length; i += 2) {
    if (!pairs[i]!.startsWith(':')) fields.push([pairs[i]!, pairs[i + 1]!])
  }
  return fieldsOf(fields)
}

/** What belongs to one connection (RFC 9113 §8.2.2), or HTTP/2 has no need of (RFC 8441 §5.1). */
const LEFT_OUT = new NameSet(
  'connection keep-alive proxy-connection sec-websocket-key transfer-encoding'.split(' '),
)

/** RFC 6455 §1.3 */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64')
}
