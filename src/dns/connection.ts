import type { Server, Socket } from 'node:net'
import { ELSEWHERE, TCP_LIMIT } from './answer.ts'
import type { DnsLimits } from './plan.ts'
import type { Elsewhere } from './transfer/gate.ts'
import { addressOctets } from './wire/address.ts'

/** Octets before each message that say how long it is (RFC 1035 §4.2.2). */
const PREFIX = 2

/** Answers that wait for a slow reader; beyond, its queries wait too. */
const UNSENT_LIMIT_OCTETS = 131_072

/** Answers are written here and copied out: a socket holds on to what it is given. */
const scratch = Buffer.allocUnsafeSlow(PREFIX + TCP_LIMIT)

/**
 * Write the answer to the first `length` octets of the query into `out`; octets written, 0 for none, or `ELSEWHERE`.
 * The client's address has 4 or 16 octets.
 */
export type AnswerOctets = (query: Uint8Array, length: number, out: Uint8Array, client: Uint8Array) => number

/** All TCP connections of a DNS server. */
export type Connections = {
  /** Serve a new connection. One too many closes the one that was answered longest ago (RFC 7766 §6.2.2). */
  admit(socket: Socket, server: Server, answer: AnswerOctets): void
  /** End the connections of one listener, once their answers are sent. */
  end(server: Server): void
  count(): number
}

export type ConnectionsOptions = { readonly limits: () => DnsLimits; readonly elsewhere: Elsewhere }

/**
 * Serve TCP connections within limits, which are asked for at each new connection.
 *
 * @example createServer((socket) => connections.admit(socket, server, answer))
 */
export function createConnections({ limits, elsewhere }: ConnectionsOptions): Connections {
  /** the one that was answered longest ago stands first */
  const open = new Map<Socket, Server>()
  return {
    admit(socket, server, answer) {
      const touch = (): void => {
        open.delete(socket)
        open.set(socket, server)
      }
      const { tcpConnections, tcpIdleMs } = limits()
      touch()
      socket.on('close', () => open.delete(socket))
      serveConnection(socket, { idleMs: tcpIdleMs, answer, elsewhere, onAnswer: touch })
      const [oldest] = open.keys()
      if (open.size > tcpConnections) oldest?.destroy()
    },
    end(server) {
      for (const [socket, owner] of open) if (owner === server) socket.destroySoon()
    },
    count: () => open.size,
  }
}

type ConnectionOptions = {
  /** a connection that completes no query for so long is closed */
  readonly idleMs: number
  readonly answer: AnswerOctets
  readonly elsewhere: Elsewhere
  /** called when a query was answered */
  readonly onAnswer: () => void
}

/**
 * Answer the queries of one TCP connection in their order, however they are cut into segments (RFC 7766 §6.2.1, §8).
 *
 * Reading stops while the client does not take its answers. A query that never ends and answers that are never read
 * come to the same end: nothing is answered within `idleMs`.
 */
function serveConnection(socket: Socket, { idleMs, answer, elsewhere, onAnswer }: ConnectionOptions): void {
  let chunks: Buffer[] = []
  let octets = 0
  let neededOctets = PREFIX
  /** answered elsewhere: more octets are not looked at until that is done, so that answers stay few */
  let isElsewhere = false
  const client = addressOctets(socket.remoteAddress ?? '')
  const idle = setTimeout(() => socket.destroy(), idleMs)

  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    octets += chunk.length
    if (octets >= neededOctets) answerAll()
  })
  socket.on('drain', () => {
    if (isElsewhere) return
    socket.resume()
    answerAll()
  })
  // The client is gone; 'close' follows.
  socket.on('error', () => {})
  socket.on('close', () => clearTimeout(idle))

  /** Answer the queries that are complete, and keep the octets behind them. */
  function answerAll(): void {
    const received = Buffer.concat(chunks)
    let at = 0
    socket.cork()
    while (!isElsewhere) {
      neededOctets = PREFIX
      if (received.length - at < neededOctets) break
      neededOctets += received.readUInt16BE(at)
      if (received.length - at < neededOctets) break
      if (socket.writableLength > UNSENT_LIMIT_OCTETS) {
        socket.pause()
        break
      }
      answerOne(received.subarray(at + PREFIX, at + neededOctets))
      at += neededOctets
    }
    socket.uncork()
    chunks = [received.subarray(at)]
    octets = received.length - at
  }

  function answerOne(query: Buffer): void {
    const length = answer(query, query.length, scratch.subarray(PREFIX), client)
    if (length === ELSEWHERE) return void answerElsewhere(query)
    if (length === 0) return
    scratch.writeUInt16BE(length)
    send(Buffer.from(scratch.subarray(0, PREFIX + length)))
  }

  function send(octets: Buffer): boolean {
    const hasRoom = socket.write(octets)
    idle.refresh()
    onAnswer()
    return hasRoom
  }

  /** A transfer has many messages, written as the client takes them. */
  async function answerElsewhere(query: Buffer): Promise<void> {
    isElsewhere = true
    socket.pause()
    try {
      const sender = { address: socket.remoteAddress ?? '', protocol: 'tcp' } as const
      for await (const message of elsewhere(Buffer.from(query), sender)) {
        const prefix = Buffer.alloc(PREFIX)
        prefix.writeUInt16BE(message.length)
        if (!send(Buffer.concat([prefix, message]))) await drained()
        if (socket.destroyed) return
      }
    } catch {
      socket.destroy()
    }
    isElsewhere = false
    if (socket.destroyed) return
    socket.resume()
    answerAll()
  }

  /** Until the socket takes more, or is closed: the idle timer closes one that never does. */
  function drained(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        socket.off('drain', end)
        socket.off('close', end)
        resolve()
      }
      socket.on('drain', end)
      socket.on('close', end)
    })
  }
}
