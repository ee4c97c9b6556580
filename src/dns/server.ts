import type { Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIPv6, type Server } from 'node:net'
import type { Log } from '#core/log.ts'
import { answer, ELSEWHERE, TCP_LIMIT, type Transport } from './answer.ts'
import { createConnections } from './connection.ts'
import { type DnsCount, QueryCounts } from './counts.ts'
import { type DatagramOptions, serveDatagrams } from './datagrams.ts'
import type { DnsLimits } from './plan.ts'
import type { Elsewhere, Sender } from './transfer/gate.ts'
import type { Zones } from './zone.ts'

/** The authoritative server of all our zones. */
export type DnsServer = {
  /**
   * Open UDP and TCP on an address; queries are answered at once.
   *
   * On a wildcard address (`0.0.0.0`, `::`) the system chooses the address that answers come from, which on a machine
   * with several may not be the one that was asked: name the addresses there. `::` is IPv6 only.
   *
   * @param port 0 for any that is free
   * @param sharing sockets that are open already, or a port that other threads listen on too
   * @throws {Error} when the port is taken, the address is not ours or we may not; nothing is open then
   */
  listen(address: string, port: number, sharing?: DnsSharing): Promise<DnsListener>
  /** From now on answer from these zones, and within these limits. Cannot fail. */
  replaceZones(zones: Zones, limits?: DnsLimits): void
  /** Answer an ordinary query that came signed, leaving room for a signature. */
  answerSigned(query: Uint8Array, sender: Sender, reserveOctets: number): Uint8Array | null
  stats(): Readonly<DnsStats>
  /** answers by transport with type or rcode */
  counts(): DnsCount[]
  /** Close all listeners. */
  close(): Promise<void>
}

/** How several threads answer at one address. */
export type DnsSharing =
  | { readonly reusePort?: boolean }
  /** descriptors of bound sockets for TCP and for UDP; the server closes them */
  | { readonly tcp: number; readonly fd: number }

/** An open address; `close` ends its connections once their answers are sent. */
export type DnsListener = {
  readonly address: string
  readonly port: number
  close(): Promise<void>
}

/** What the server did since it was created; it only grows, but for `tcpConnections`. */
export type DnsStats = {
  /** messages over UDP and TCP */
  queries: number
  /** messages without an answer: they were no queries, or the answer could not be sent */
  dropped: number
  /** answers with TC */
  truncated: number
  /** answers by the rcode in their header, 0 to 15 */
  readonly rcodes: number[]
  /** open now */
  tcpConnections: number
}

export type DnsServerOptions = {
  readonly zones: Zones
  readonly limits: DnsLimits
  readonly log: Log
  /** many datagrams for one system call where that is possible (64-bit Linux, a Node with `node:ffi`); true */
  readonly batches?: boolean
  /** answers messages that are signed, or that move or change zones; without it they are refused */
  readonly elsewhere?: Elsewhere
}

/** Tries to find a port that is free for both protocols. */
const FREE_PORT_TRIES = 10

/** @example createDnsServer({ zones, limits, log }).listen('127.0.0.1', 5300) */
export function createDnsServer({
  zones,
  limits,
  log,
  batches = true,
  elsewhere,
}: DnsServerOptions): DnsServer {
  let udp: Transport
  let tcp: Transport
  const stats: DnsStats = {
    queries: 0,
    dropped: 0,
    truncated: 0,
    rcodes: new Array<number>(16).fill(0),
    tcpConnections: 0,
  }
  const counts = new QueryCounts()
  const listeners = new Set<DnsListener>()
  const connections = createConnections({
    limits: () => limits,
    answer: (query, length, out) => respond(query, length, tcp, out),
    elsewhere: answerElsewhere,
  })
  replaceZones(zones, limits)

  function replaceZones(wanted: Zones, wantedLimits: DnsLimits = limits): void {
    zones = wanted
    limits = wantedLimits
    udp = transportOf('udp')
    tcp = transportOf('tcp')
  }

  function transportOf(protocol: 'udp' | 'tcp', reserveOctets?: number): Transport {
    const hasElsewhere = elsewhere !== undefined && reserveOctets === undefined
    return { protocol, udpPayload: limits.udpPayload, hasElsewhere, reserveOctets: reserveOctets ?? 0 }
  }

  async function* answerElsewhere(message: Buffer, sender: Sender): AsyncGenerator<Uint8Array> {
    let isFirst = true
    for await (const reply of elsewhere!(message, sender)) {
      if (isFirst) count(stats, reply, reply.length)
      if (isFirst) counts.count(sender.protocol, reply)
      isFirst = false
      yield reply
    }
    if (isFirst) count(stats, message, 0)
  }

  async function listen(address: string, port: number, sharing: DnsSharing = {}): Promise<DnsListener> {
    const server = createServer((socket) => connections.admit(socket, server))
    const socket = await open(server, address, port, {
      batches,
      ...sharing,
      answer: (query, length, out) => respond(query, length, udp, out),
      elsewhere: answerElsewhere,
      onDrop: () => stats.dropped++,
    })
    socket.on('error', (error) => log('warning', 'dns: udp', { address, port, error: error.message }))
    server.on('error', (error) => log('warning', 'dns: tcp', { address, port, error: error.message }))
    const listener = { address, port: socket.address().port, close }
    listeners.add(listener)
    return listener

    async function close(): Promise<void> {
      if (!listeners.delete(listener)) return
      const closed = [once(socket, 'close'), once(server, 'close')]
      socket.close()
      server.close()
      connections.end(server)
      await Promise.all(closed)
    }
  }

  function respond(query: Uint8Array, octets: number, transport: Transport, out: Uint8Array): number {
    const length = answer(zones, query, octets, transport, out)
    if (length === ELSEWHERE) return length
    count(stats, out, length)
    if (length > 0) counts.count(transport.protocol, out)
    return length
  }

  return {
    listen,
    replaceZones,
    answerSigned(query, { protocol }, reserveOctets) {
      const out = Buffer.allocUnsafe(protocol === 'tcp' ? TCP_LIMIT : limits.udpPayload)
      const length = answer(zones, query, query.length, transportOf(protocol, reserveOctets), out)
      return length === 0 ? null : out.subarray(0, length)
    },
    counts: () => counts.list(),
    stats: () => ({ ...stats, tcpConnections: connections.count() }),
    async close() {
      await Promise.all(Array.from(listeners, (listener) => listener.close()))
    },
  }
}

function count(stats: DnsStats, answer: Uint8Array, length: number): void {
  const TC = 0x02
  stats.queries++
  if (length === 0) {
    stats.dropped++
    return
  }
  if ((answer[2]! & TC) !== 0) stats.truncated++
  stats.rcodes[answer[3]! & 0x0f]!++
}

/** Open both protocols on one port; the UDP socket. */
async function open(
  server: Server,
  address: string,
  port: number,
  options: DatagramOptions & { readonly tcp?: number },
): Promise<UdpSocket> {
  const { tcp, reusePort = false } = options
  const target = tcp === undefined ? { host: address, port, ipv6Only: true, reusePort } : { fd: tcp }
  for (let tries = 1; ; tries++) {
    try {
      const listening = once(server, 'listening')
      server.listen(target)
      await listening
      return await serveDatagrams(address, (server.address() as AddressInfo).port, options)
    } catch (error) {
      server.close()
      if (port === 0 && errorCode(error) === 'EADDRINUSE' && tries < FREE_PORT_TRIES) continue
      throw new Error(`Cannot listen on ${printAddress(address, port)}: ${explainBind(error)}`, {
        cause: error,
      })
    }
  }
}

function printAddress(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}

function explainBind(error: unknown): string {
  const code = errorCode(error)
  if (code === 'EADDRINUSE') return 'the port is taken'
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have the address'
  if (code === 'EACCES') return 'only root, or a program with CAP_NET_BIND_SERVICE, may open ports below 1024'
  return error instanceof Error ? error.message : String(error)
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
