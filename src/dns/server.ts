import { randomBytes } from 'node:crypto'
import type { Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIPv6, type Server } from 'node:net'
import { createServer as createTlsServer, type TlsOptions, type Server as TlsServer } from 'node:tls'
import { messageOf } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { NetworkTree } from '#dns/pools/network-tree.ts'
import type { Steering } from '#dns/pools/steering.ts'
import { type Asking, answer, ELSEWHERE, type Protocol, TCP_LIMIT, type Transport } from './answer.ts'
import { type AnswerOctets, createConnections } from './connection.ts'
import { type DnsCount, QueryCounts } from './counts.ts'
import { type DatagramOptions, serveDatagrams } from './datagrams.ts'
import type { DnsLimits, MannerPlan } from './plan.ts'
import { AnswerRate } from './rate.ts'
import type { Elsewhere, Sender } from './transfer/gate.ts'
import { addressOctets } from './wire/address.ts'
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
  /**
   * Open TLS on an address (RFC 7858).
   *
   * @throws {Error} as `listen` does
   */
  listenTls(address: string, port: number, tls: DnsTls, sharing?: TlsSharing): Promise<DnsListener>
  /** From now on answer from these zones, and within these limits. Cannot fail. */
  replaceZones(zones: Zones, limits?: DnsLimits, manner?: MannerPlan): void
  /** Answer an ordinary query that came signed, leaving room for a signature. */
  answerSigned(query: Uint8Array, sender: Sender, reserveOctets: number): Uint8Array | null
  /** Keys of 16 octets that cookies are made with, the one in use first (RFC 9018 §5). */
  setCookieKeys(keys: readonly Uint8Array[]): void
  /** Who chooses among the members of pools. */
  setSteering(steering: Steering): void
  /** Answer one message that came over HTTPS (RFC 8484 §4.1); null when it is no query. */
  answerHttps(query: Uint8Array, address: string): Buffer | null
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

/** What `node:tls` needs, and who keeps its certificates fresh. */
export type DnsTls = { readonly options: TlsOptions; attach(server: TlsServer): void }

export type TlsSharing = { readonly reusePort?: boolean; readonly fd?: number }

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
export function createDnsServer(options: DnsServerOptions): DnsServer {
  const { log, batches = true, elsewhere } = options
  let { zones, limits } = options
  let transports: Readonly<Record<Protocol, Transport>>
  let manner: MannerPlan = {}
  let isExempt: (client: Uint8Array) => boolean = () => false
  let cookieKeys: readonly Uint8Array[] = []
  const rate = new AnswerRate(randomBytes(16))
  // Few answers depend on time or chance.
  const asking: Asking = {
    client: new Uint8Array(4),
    get nowMs() {
      return Date.now()
    },
    get draw() {
      return Math.random()
    },
    limited: 'no',
  }
  const stats: DnsStats = {
    queries: 0,
    dropped: 0,
    truncated: 0,
    rcodes: new Array<number>(16).fill(0),
    tcpConnections: 0,
  }
  const counts = new QueryCounts()
  const listeners = new Set<DnsListener>()
  const connections = createConnections({ limits: () => limits, elsewhere: answerElsewhere })
  replaceZones(zones, limits)

  function replaceZones(wanted: Zones, wantedLimits: DnsLimits = limits, wantedManner = manner): void {
    zones = wanted
    limits = wantedLimits
    manner = wantedManner
    isExempt = createExempt(manner.rate?.exempt ?? [])
    tellTransports()
  }

  function setCookieKeys(keys: readonly Uint8Array[]): void {
    cookieKeys = keys
    tellTransports()
  }

  function tellTransports(): void {
    transports = createTransports({ limits, manner, cookieKeys, hasElsewhere: elsewhere !== undefined })
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
    const server = createServer((socket) => connections.admit(socket, server, overTcp))
    const socket = await open(server, address, port, {
      batches,
      ...sharing,
      answer: overUdp,
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

  async function listenTls(
    address: string,
    port: number,
    { options, attach }: DnsTls,
    { fd, reusePort = false }: TlsSharing = {},
  ): Promise<DnsListener> {
    const server = createTlsServer(options, (socket) => connections.admit(socket, server, overTls))
    attach(server)
    const listening = once(server, 'listening')
    server.listen(fd === undefined ? { host: address, port, ipv6Only: true, reusePort } : { fd })
    await listening.catch((error: unknown) => {
      throw listenError(address, port, error)
    })
    server.on('error', (error) => log('warning', 'dns: tls', { address, port, error: error.message }))
    const listener = { address, port: (server.address() as AddressInfo).port, close }
    listeners.add(listener)
    return listener

    async function close(): Promise<void> {
      if (!listeners.delete(listener)) return
      const closed = once(server, 'close')
      server.close()
      connections.end(server)
      await closed
    }
  }

  function respond(
    query: Uint8Array,
    octets: number,
    transport: Transport,
    out: Uint8Array,
    client: Uint8Array,
  ): number {
    ask(client)
    if (transport === transports.udp) asking.limited = limit(client)
    const length = answer(zones, query, octets, transport, out, asking)
    if (length === ELSEWHERE) return length
    count(stats, out, length)
    if (length > 0) counts.count(transport.protocol, out)
    return length
  }

  /** What an answer to this client depends on now. */
  function ask(client: Uint8Array): void {
    asking.client = client
    asking.limited = 'no'
  }

  function limit(client: Uint8Array): Asking['limited'] {
    if (manner.rate === undefined || isExempt(client)) return 'no'
    return rate.take(client, asking.nowMs, manner.rate)
  }

  const overUdp: AnswerOctets = (query, octets, out, client) =>
    respond(query, octets, transports.udp, out, client)
  const overTcp: AnswerOctets = (query, octets, out, client) =>
    respond(query, octets, transports.tcp, out, client)
  const overTls: AnswerOctets = (query, octets, out, client) =>
    respond(query, octets, transports.tls, out, client)

  function answerHttps(query: Uint8Array, address: string): Buffer | null {
    const out = Buffer.allocUnsafe(TCP_LIMIT)
    const length = respond(query, query.length, transports.https, out, addressOctets(address))
    return length === 0 ? null : Buffer.from(out.subarray(0, length))
  }

  return {
    listen,
    listenTls,
    replaceZones,
    answerSigned(query, { address, protocol }, reserveOctets) {
      const out = Buffer.allocUnsafe(protocol === 'tcp' ? TCP_LIMIT : limits.udpPayload)
      const transport = { ...transports[protocol], hasElsewhere: false, reserveOctets }
      ask(addressOctets(address))
      const length = answer(zones, query, query.length, transport, out, asking)
      return length === 0 ? null : out.subarray(0, length)
    },
    setCookieKeys,
    setSteering: (steering) => (asking.steering = steering),
    answerHttps,
    counts: () => counts.list(),
    stats: () => ({ ...stats, tcpConnections: connections.count() }),
    async close() {
      await Promise.all(Array.from(listeners, (listener) => listener.close()))
    },
  }
}

/** What each transport's answers tell; whoever cannot be forged needs no cookie, and gets one when it asks. */
function createTransports({
  limits: { udpPayload, tcpIdleMs: idleMs },
  manner: { nsid },
  cookieKeys,
  hasElsewhere,
}: {
  readonly limits: DnsLimits
  readonly manner: MannerPlan
  readonly cookieKeys: readonly Uint8Array[]
  readonly hasElsewhere: boolean
}): Readonly<Record<Protocol, Transport>> {
  const told = { cookieKeys, pads: false, ...(nsid === undefined ? {} : { nsid: Buffer.from(nsid) }) }
  return {
    udp: { protocol: 'udp', udpPayload, hasElsewhere, edns: told },
    tcp: { protocol: 'tcp', udpPayload, hasElsewhere, edns: { ...told, idleMs } },
    tls: { protocol: 'tls', udpPayload, hasElsewhere, edns: { ...told, idleMs, pads: true } },
    // One message answers one request: no transfers.
    https: { protocol: 'https', udpPayload, edns: { ...told, pads: true } },
  }
}

function createExempt(networks: readonly string[]): (client: Uint8Array) => boolean {
  const exempt = new NetworkTree(networks.map((network) => [network, true]))
  return (client) => exempt.find(client).value === true
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
      throw listenError(address, port, error)
    }
  }
}

function listenError(address: string, port: number, error: unknown): Error {
  const message = `Cannot listen on ${printAddress(address, port)}: ${explainBind(error)}`
  return new Error(message, { cause: error })
}

function printAddress(address: string, port: number): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
}

function explainBind(error: unknown): string {
  const code = errorCode(error)
  if (code === 'EADDRINUSE') return 'the port is taken'
  if (code === 'EADDRNOTAVAIL') return 'this machine does not have the address'
  if (code === 'EACCES') return 'only root, or a program with CAP_NET_BIND_SERVICE, may open ports below 1024'
  return messageOf(error)
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
