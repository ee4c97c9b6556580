import net from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import type { Log } from '#core/log.ts'
import { Connection } from '#http/h1/connection.ts'
import { addressOf, type ConnectionHost, clientOf, type ServedConnection } from './client-connection.ts'
import { startClock, TCP_PROBE_MS } from './clock.ts'
import type { Handler } from './exchange.ts'
import { Http2Connection } from './h2/connection.ts'
import { COPY_OCTETS } from './output.ts'
import type { HttpLimits } from './plan.ts'
import { ProxyGreeting } from './proxy-greeting.ts'
import { createStats, type HttpStats } from './stats.ts'
import type { Transfer } from './transfer.ts'

export type HttpServerOptions = {
  readonly limits: HttpLimits
  readonly handler: Handler
  readonly log: Log
  /** Whether a connection of a client at this address may stay; all may when absent. */
  readonly mayConnect?: (address: string, socket: net.Socket) => boolean
}

export type HttpServer = {
  readonly stats: Readonly<HttpStats>
  /** client connections that are open now */
  openConnections(): number
  /** responses under way */
  transfers(): Transfer[]
  /** From now on requests go to `handler` under `limits`; those under way stay as they are. */
  commit(handler: Handler, limits: HttpLimits): void
  /**
   * Open a listening socket. Connections that arrive before `commit` wait.
   *
   * @throws {Error} naming address and port when they cannot be listened on
   */
  prepare(target: ListenTarget): Promise<HttpListener>
  /**
   * Stop: no new connections, idle ones are closed, requests under way have `deadlineMs` to finish.
   *
   * @returns when every connection is closed
   */
  close(deadlineMs: number): Promise<void>
}

export type ListenTarget = {
  /** textual IP address; `::` is every address, also of IPv4 unless `ipv6Only` */
  readonly address: string
  /** 0: a free one */
  readonly port: number
  /** several workers listen on the same port */
  readonly reusePort?: boolean
  /** a socket that is bound already to address and port; the listener closes it */
  readonly fd?: number
  readonly ipv6Only?: boolean
  /** TLS with these options, such as `SNICallback` */
  readonly tls?: tls.TlsOptions
  /** without TLS: clients speak HTTP/2 from the first octet, with prior knowledge (RFC 9113 §3.3) */
  readonly http2?: boolean
  /** called with the server of TLS before it listens, to keep certificates and ticket keys fresh */
  readonly attach?: (server: tls.Server) => void
}

export type HttpListener = {
  readonly address: string
  readonly port: number
  /** Whether peers at this address say first who their client is, by the PROXY protocol; nobody does unless set. */
  isProxy: (address: string) => boolean
  /** Serve the connections that arrived and those that will. */
  commit(): void
  /** Accept no more; connections that are open live on. */
  retire(): void
}

/**
 * Create a server of HTTP/1.1 and HTTP/2; it listens when a listener was prepared.
 *
 * @example
 *   const server = createHttpServer({ limits: httpLimits(), handler, log: silent })
 *   const listener = await server.prepare({ address: '127.0.0.1', port: 8080 })
 *   listener.commit()
 */
export function createHttpServer({ limits, handler, log, mayConnect }: HttpServerOptions): HttpServer {
  const connections = new Set<ServedConnection>()
  const listeners = new Set<HttpListener>()
  const clock = startClock(() => {
    for (const connection of connections) connection.check(clock.nowMs)
  })
  const host: ServerHost = {
    handler,
    limits,
    isDraining: false,
    clock,
    stats: createStats(),
    connections,
    proxied: new Map(),
    handshakes: 0,
    log,
  }
  return {
    stats: host.stats,
    openConnections: () => connections.size,
    transfers: () => [...connections].flatMap((connection) => connection.transfers(performance.now())),
    commit,
    prepare,
    close,
  }

  function commit(nextHandler: Handler, nextLimits: HttpLimits): void {
    host.handler = nextHandler
    host.limits = nextLimits
  }

  async function prepare(target: ListenTarget): Promise<HttpListener> {
    if (host.isDraining) throw new Error('The server is closing and opens no listener')
    const listener = await listen(target, host, mayConnect)
    listeners.add(listener)
    const { retire } = listener
    listener.retire = () => {
      listeners.delete(listener)
      retire()
    }
    return listener
  }

  async function close(deadlineMs: number): Promise<void> {
    host.isDraining = true
    for (const listener of listeners) listener.retire()
    listeners.clear()
    for (const connection of connections) connection.retire()
    const deadline = performance.now() + deadlineMs
    const arrival = Math.min(deadline, performance.now() + LIMIT_ARRIVAL_MS)
    while (connections.size + host.handshakes > 0 && performance.now() < arrival) await pause(POLL_MS)
    for (const connection of connections) connection.retire()
    while (connections.size > 0 && performance.now() < deadline) await pause(POLL_MS)
    for (const connection of connections) connection.destroy('drain')
    clock.stop()
  }
}

/** how often a closing server looks whether its connections have finished */
const POLL_MS = 20
/** who has just come when the server closes has a request on its way: a round trip, retransmitted once */
const LIMIT_ARRIVAL_MS = 1000

/** What the connections of a server share, and how many handshakes of TLS are under way. */
type ServerHost = ConnectionHost & { handshakes: number }

function listen(
  target: ListenTarget,
  host: ServerHost,
  mayConnect: (address: string, socket: net.Socket) => boolean = () => true,
): Promise<HttpListener> {
  const { address, port } = target
  const probes = { keepAlive: true, keepAliveInitialDelay: TCP_PROBE_MS }
  const options = { allowHalfOpen: true, noDelay: true, highWaterMark: COPY_OCTETS, ...probes }
  const handshakeTimeout = host.limits.headerTimeoutMs
  const secured = target.tls && tls.createServer({ ...target.tls, ...options, handshakeTimeout })
  const server = net.createServer({ ...options, pauseOnConnect: true }, arrive)
  const listener: HttpListener = { address, port, isProxy: () => false, commit, retire }
  let waiting: net.Socket[] | undefined = []

  if (secured !== undefined) {
    target.attach?.(secured)
    secured.on('secureConnection', (socket: tls.TLSSocket) => {
      host.handshakes--
      host.stats.handshakes[socket.isSessionReused() ? 'resumed' : 'full']++
      admit(socket)
    })
    secured.on('tlsClientError', (error: Error) => {
      host.handshakes--
      host.stats.handshakes.failed++
      host.log('debug', 'http/handshake-failed', { error: error.message })
    })
  }

  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, target)))
    const { fd, reusePort = false, ipv6Only = false } = target
    const where = fd === undefined ? { host: address, port, reusePort, ipv6Only } : { fd }
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.removeAllListeners('error')
      server.on('error', (error) => {
        host.log('error', 'http/listener-failed', { address, port, error: error.message })
      })
      const bound = server.address() as net.AddressInfo
      Object.assign(listener, { address: bound.address, port: bound.port })
      resolve(listener)
    })
  })

  function arrive(socket: net.Socket): void {
    const address = addressOf(socket)
    if (!listener.isProxy(address)) takeClient(socket, address)
    else if (!isRoom()) turnAway(socket)
    else
      new ProxyGreeting(socket, host, () => takeClient(socket, clientOf(socket, false, host.proxied).address))
  }

  function takeClient(socket: net.Socket, address: string): void {
    if (!mayConnect(address, socket)) turnAway(socket)
    else if (secured === undefined) admit(socket)
    else if (!isRoom()) turnAway(socket)
    else {
      host.handshakes++
      secured.emit('connection', socket)
    }
  }

  function isRoom(): boolean {
    return host.handshakes + host.connections.size < host.limits.connections
  }

  function commit(): void {
    for (const socket of waiting ?? []) serve(socket)
    waiting = undefined
  }

  function retire(): void {
    server.close()
    for (const socket of waiting ?? []) socket.destroy()
    waiting = undefined
  }

  function admit(socket: net.Socket): void {
    if (waiting === undefined) serve(socket)
    else if (waiting !== undefined && waiting.length < LIMIT_WAITING) waiting.push(socket)
    else socket.destroy()
  }

  function serve(socket: net.Socket): void {
    const { stats, connections, limits } = host
    if (connections.size >= limits.connections) return turnAway(socket)
    stats.accepted++
    const secure = target.tls !== undefined
    const connection = speaksHttp2(socket, target)
      ? new Http2Connection(socket, host, secure)
      : new Connection(socket, host, secure)
    // It was accepted before the end was wished for, and came out of its handshake after.
    if (host.isDraining) connection.retire()
  }

  function turnAway(socket: net.Socket): void {
    host.stats.turnedAway++
    socket.destroy()
  }
}

/** RFC 9113 §3.2: over TLS the handshake has chosen. */
function speaksHttp2(socket: net.Socket, target: ListenTarget): boolean {
  if (socket instanceof tls.TLSSocket) return socket.alpnProtocol === 'h2'
  return target.http2 === true
}

/** Connections that the kernel keeps until we take them, as far as it is told to: who finds no place asks again after a second. */
const BACKLOG = 4096
/** connections that may arrive between `prepare` and `commit` */
const LIMIT_WAITING = 1024

function explain(error: NodeJS.ErrnoException, { address, port }: ListenTarget): Error {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program listens on that port',
    EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
    EADDRNOTAVAIL: 'this machine does not have that address',
  }
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return new Error(`Cannot listen on ${where}: ${why[error.code ?? ''] ?? error.message}`, { cause: error })
}
