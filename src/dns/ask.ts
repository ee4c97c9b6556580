import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { whyUnreached } from './unreached.ts'
import { decodeMessage, encodeMessage, type Message } from './wire/message.ts'
import { parseName, printName } from './wire/name.ts'
import { CLASS, typeNumber } from './wire/types.ts'

/** A DNS server that is asked: a resolver, or a name server of a zone. */
export type Asked = { readonly address: string; readonly port: number }

export type Ask = {
  readonly name: string
  /** mnemonic */
  readonly type: string
  /** whether the server shall find the answer elsewhere (RFC 1035 §4.1.1) */
  readonly recursive: boolean
  readonly timeoutMs: number
}

/** One try more when a datagram is lost. */
const TRIES = 2
const PAYLOAD_OCTETS = 1232
const PREFIX = 2

/**
 * Ask one server one question: over UDP, and over TCP when the answer was truncated (RFC 7766 §5).
 *
 * @returns the answer, or why there is none
 */
export async function askServer(server: Asked, ask: Ask): Promise<Message | string> {
  const name = parseName(ask.name)
  const type = typeNumber(ask.type)
  if (typeof name === 'string' || type === undefined) return `there is no question ${ask.name} ${ask.type}`
  const query = queryOf(name, type, ask.recursive)
  let said: Message | string = 'no answer'
  for (let tries = 0; tries < TRIES && typeof said === 'string'; tries++)
    said = await overUdp(server, query, ask.timeoutMs / TRIES)
  if (typeof said === 'string' || !said.tc) return said
  return overTcp(server, query, ask.timeoutMs)
}

function queryOf(name: Uint8Array, type: number, rd: boolean): Buffer {
  return encodeMessage({
    id: randomInt(0x10000),
    opcode: 0,
    rcode: 0,
    ...{ qr: false, aa: false, tc: false, rd, ra: false, ad: false, cd: false },
    question: [{ name, type, class: CLASS.IN }],
    answer: [],
    authority: [],
    additional: [],
    edns: { payloadSize: PAYLOAD_OCTETS, version: 0, dnssecOk: false, options: [] },
  })
}

function overUdp({ address, port }: Asked, query: Buffer, timeoutMs: number): Promise<Message | string> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    const timer = setTimeout(() => end('no answer in time'), timeoutMs)
    socket.on('error', (error: NodeJS.ErrnoException) => end(whyUnreached(error)))
    socket.on('message', (octets) => {
      const message = readAnswer(octets, query)
      if (message !== undefined) end(message)
    })
    // A connected socket hears of ICMP errors, and takes datagrams of this server only (RFC 5452 §9.1).
    socket.connect(port, address, () => socket.send(query))

    function end(result: Message | string): void {
      clearTimeout(timer)
      socket.removeAllListeners()
      socket.on('error', () => {})
      socket.close()
      resolve(result)
    }
  })
}

function overTcp({ address, port }: Asked, query: Buffer, timeoutMs: number): Promise<Message | string> {
  return new Promise((resolve) => {
    const socket = connect(port, address)
    const timer = setTimeout(() => end('no answer in time'), timeoutMs)
    let octets = Buffer.alloc(0)
    socket.once('error', (error) => end(whyUnreached(error)))
    socket.once('end', () => end('the connection was closed without an answer'))
    socket.on('data', (more: Buffer) => {
      octets = Buffer.concat([octets, more])
      const length = octets.length < PREFIX ? Infinity : octets.readUInt16BE()
      if (octets.length < PREFIX + length) return
      end(readAnswer(octets.subarray(PREFIX, PREFIX + length), query) ?? 'the answer is no DNS message')
    })
    const prefix = Buffer.alloc(PREFIX)
    prefix.writeUInt16BE(query.length)
    socket.write(Buffer.concat([prefix, query]))

    function end(result: Message | string): void {
      clearTimeout(timer)
      socket.destroy()
      resolve(result)
    }
  })
}

/** The answer to this query; what has another id or question comes from somebody else (RFC 5452 §9.1). */
function readAnswer(octets: Uint8Array, query: Buffer): Message | undefined {
  const message = decodeMessage(octets)
  if (typeof message === 'string' || !message.qr || message.id !== query.readUInt16BE()) return undefined
  const asked = decodeMessage(query)
  const wanted = typeof asked === 'string' ? undefined : asked.question[0]
  const echoed = message.question[0]
  if (wanted === undefined || echoed === undefined || echoed.type !== wanted.type) return undefined
  return printName(echoed.name).toLowerCase() === printName(wanted.name).toLowerCase() ? message : undefined
}
