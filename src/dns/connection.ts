import type { Server, Socket } from 'node:net'
import { TCP_LIMIT } from './answer.ts'
import type { DnsLimits } from './plan.ts'
import { addressOctets } from './wire/address.ts'

/** Octets before each message that say how long it is (RFC 1035 §4.2.2). */
const PREFIX = 2

/** Answers that wait for a slow reader; beyond, its queries wait too. */
const UNSENT_LIMIT_OCTETS = 131_072

/** Answers are written here and copied out: a socket holds on to what it is given. */
const scratch = Buffer.allocUnsafeSlow(PREFIX + TCP_LIMIT)

/**
 * Write the answer to the first `length` octets of the query into `out`; octets written, 0 for none. The client's
 * address has 4 or 16 octets.
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

export type ConnectionsOptions = { readonly limits: () => DnsLimits }

/**
 * Serve TCP connections within limits, which are asked for at each new connection.
 *
 * @example createServer((socket) => connections.admit(socket, server, answer))
 */
export function createConnections({ limits }: ConnectionsOptions): Connections {
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
      serveConnection(socket, { idleMs: tcpIdleMs, answer, onAnswer: touch })
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
  /** called when a query was answered */
  readonly onAnswer: () => void
}

/**
 * Answer the queries of one TCP connection in their order, however they are cut into segments (RFC 7766 §6.2.1, §8).
 *
 * Reading stops while the client does not take its answers. A query that never ends and answers that are never read
 * come to the same end: nothing is answered within `idleMs`.
 */
function serveConnection(socket: Socket, { idleMs, answer, onAnswer }: ConnectionOptions): void {
  let chunks: Buffer[] = []
  let octets = 0
  let neededOctets = PREFIX
  const client = addressOctets(socket.remoteAddress ?? '')
  const idle = setTimeout(() => socket.destroy(), idleMs)

  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    octets += chunk.length
    if (octets >= neededOctets) answerAll()
  })
  socket.on('drain', () => {
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
    while (true) {
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
    if (length === 0) return
    scratch.writeUInt16BE(length)
    socket.write(Buffer.from(scratch.subarray(0, PREFIX + length)))
    idle.refresh()
    onAnswer()
  }
}
