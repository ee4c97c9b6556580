import { parseIpv4, parseIpv6, printIpv4, printIpv6 } from './address.ts'
import { parseBase64, parseHex, printHex } from './encoding.ts'
import { type FieldCodec, takeName } from './field.ts'
import { parseName, printName } from './name.ts'
import { asBuffer, encodeInteger, Fault, type OctetReader } from './octets.ts'

/** The rest of IPSECKEY after the precedence: gateway type, algorithm, gateway, key (RFC 4025 §2). */
export const ipsecGateway: FieldCodec = {
  wants: 'a gateway type from 0 to 3, an algorithm, a gateway of that type and a key in Base64',
  many: true,
  parse: ([kind, algorithm, gateway, ...key], { origin }) => {
    const head = [parseOctet(kind?.text, 3), parseOctet(algorithm?.text, 255)]
    const keyText = key.map((token) => token.text).join('')
    const octets = keyText === '' ? new Uint8Array() : parseBase64(keyText)
    if (head.includes(undefined) || octets === undefined) return undefined
    const address = parseGateway(head[0]!, gateway?.text ?? '', origin)
    if (!(address instanceof Uint8Array)) return address
    return Buffer.concat([Uint8Array.from(head as number[]), address, octets])
  },
  print: (reader) => {
    const kind = reader.u8()
    const algorithm = reader.u8()
    const gateway = printGateway(kind, reader)
    return `${kind} ${algorithm} ${gateway} ${asBuffer(reader.rest()).toString('base64')}`.trimEnd()
  },
}

/** The rest of AMTRELAY after the precedence: discovery bit, relay type, relay (RFC 8777 §4.2). */
export const amtRelay: FieldCodec = {
  wants: 'a discovery bit, a relay type from 0 to 3 and a relay of that type',
  many: true,
  parse: ([discoveryWord, kindWord, relay, ...more], { origin }) => {
    const discovery = parseOctet(discoveryWord?.text, 1)
    const kind = parseOctet(kindWord?.text, 3)
    if (discovery === undefined || kind === undefined || more.length > 0) return undefined
    // The empty relay of type 0 is written as a dot (RFC 8777 §4.3.1).
    const address = parseGateway(kind, relay?.text ?? '.', origin)
    if (!(address instanceof Uint8Array)) return address
    return Buffer.concat([Uint8Array.of(discovery * 0x80 + kind), address])
  },
  print: (reader) => {
    const octet = reader.u8()
    return `${octet >> 7} ${octet & 0x7f} ${printGateway(octet & 0x7f, reader)}`
  },
}

/** HIP: length octets in front, then algorithm, HIT, public key, rendezvous servers (RFC 8005 §5, §6). */
export const hip: FieldCodec = {
  wants: 'an algorithm, a HIT in hexadecimal, a key in Base64 and any rendezvous servers',
  many: true,
  parse: ([algorithmWord, hitWord, keyWord, ...serverWords], { origin }) => {
    const algorithm = parseOctet(algorithmWord?.text, 255)
    const hit = parseHex(hitWord?.text ?? '')
    const key = parseBase64(keyWord?.text ?? '')
    if (algorithm === undefined || hit === undefined || key === undefined) return undefined
    if (hit.length > 255 || key.length > 0xffff) return undefined
    const head = [Uint8Array.of(hit.length, algorithm), encodeInteger(key.length, 2), hit, key]
    const servers = serverWords.map((token) => parseName(token.text, origin))
    const fault = servers.find((server) => typeof server === 'string')
    return fault ?? Buffer.concat([...head, ...(servers as Uint8Array[])])
  },
  print: (reader) => {
    const hitLength = reader.u8()
    const algorithm = reader.u8()
    const keyLength = reader.u16()
    const words = [
      String(algorithm),
      printHex(reader.take(hitLength)),
      asBuffer(reader.take(keyLength)).toString('base64'),
    ]
    if (hitLength === 0 || keyLength === 0) throw new Fault('A HIP record without HIT or key')
    while (reader.left > 0) words.push(printName(takeName(reader)))
    return words.join(' ')
  },
}

function parseOctet(text: string | undefined, max: number): number | undefined {
  const isOctet = text !== undefined && /^\d{1,3}$/.test(text) && Number(text) <= max
  return isOctet ? Number(text) : undefined
}

function parseGateway(kind: number, text: string, origin: Uint8Array): Uint8Array | string | undefined {
  if (kind === 0) return text === '.' ? new Uint8Array() : undefined
  if (kind === 1) return parseIpv4(text)
  if (kind === 2) return parseIpv6(text)
  return text === '' ? undefined : parseName(text, origin)
}

function printGateway(kind: number, reader: OctetReader): string {
  if (kind === 0) return '.'
  if (kind === 1) return printIpv4(reader.take(4))
  if (kind === 2) return printIpv6(reader.take(16))
  if (kind === 3) return printName(takeName(reader))
  throw new Fault(`Gateway type ${kind} is unknown`)
}
