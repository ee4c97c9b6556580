import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Log } from '#core/log.ts'
import type { RequestBody } from '#http/h1/request-body.ts'
import type { Clock } from './clock.ts'
import type { Client, EndReason, Exchange, Handler } from './exchange.ts'
import type { Output } from './output.ts'
import type { HttpLimits } from './plan.ts'
import type { HttpStats } from './stats.ts'
import type { Transfer } from './transfer.ts'
import type { Input } from './wire/input.ts'
import type { ClientEnd } from './wire/proxy-protocol.ts'

/** What a server shares with its connections; `handler` and `limits` change between requests. */
export type ConnectionHost = {
  handler: Handler
  limits: HttpLimits
  isDraining: boolean
  readonly clock: Clock
  readonly stats: HttpStats
  readonly connections: Set<ServedConnection>
  /** clients of proxies that said who they are, by `endsOf` the proxy's connection */
  readonly proxied: Map<string, ClientEnd>
  readonly log: Log
}

/** What a server asks of its connections. */
export type ServedConnection = {
  /** Look at the deadlines; called at every tick of the clock. */
  check(nowMs: number): void
  /** Responses under way. */
  transfers(nowMs: number): Transfer[]
  /**
   * No more requests: close when idle, else after the response under way. Whoever has asked nothing yet has a request
   * on its way, and may still send it; called again, this closes that one too.
   */
  retire(): void
  /** End at once: a response that is under way cannot be taken as complete. */
  destroy(reason: EndReason): void
}

/** What an exchange, or the tunnel it became, asks of the connection below it. */
export type ClientConnection = {
  readonly input: Input
  readonly output: Output
  /** `Date: …` and the end of the line, made once a second */
  readonly dateLine: string
  /** whether another request may follow the one under way */
  keepsAlive: boolean
  readonly isReadOver: boolean
  /** End at once: a response that is under way cannot be taken as complete. */
  destroy(reason: EndReason): void
  /** Tell a client that waits for it to send the content (RFC 9110 §10.1.1). */
  sendContinue(): void
  /** Settle `keepsAlive`, as far as one can tell when the head of the response goes out. */
  decideToKeepAlive(body: RequestBody | null): void
  /** The last octet of the response was sent. */
  finishExchange(exchange: Exchange): void
  becomeTunnel(tunnel: TunnelEnd): void
  /** Both directions of a tunnel have ended. */
  finishTunnel(): void
  /** The client takes octets: it has another while to take the next ones. */
  noteProgress(): void
  resumeReading(): void
  /** Send FIN; the client may go on sending. */
  shutdown(): void
}

/** What the connection tells a tunnel. */
export type TunnelEnd = {
  /** Octets have arrived, or the client sent FIN. */
  feed(): void
  /** The client takes octets again. */
  resume(): void
}

/** Who is on the other side of a socket, or of the proxy on its other side; mapped IPv4 addresses as they are. */
export function clientOf(socket: Socket, secure: boolean, proxied: ConnectionHost['proxied']): Client {
  const client = proxied.size === 0 ? undefined : proxied.get(endsOf(socket))
  if (client !== undefined) return { ...client, secure }
  const verifiedName = socket instanceof TLSSocket && socket.authorized ? servernameOf(socket) : undefined
  return {
    address: addressOf(socket),
    port: socket.remotePort ?? 0,
    secure,
    ...(verifiedName === undefined ? {} : { verifiedName }),
    localPort: socket.localPort ?? 0,
  }
}

function servernameOf(socket: TLSSocket): string | undefined {
  const name: unknown = Reflect.get(socket, 'servername')
  return typeof name === 'string' ? name.toLowerCase() : undefined
}

/** The address on the other side of a socket, without zone. */
export function addressOf(socket: Socket): string {
  const address = (socket.remoteAddress ?? '').replace(/%.*$/, '')
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** Both ends of a connection: no other has the same, and TLS on top of it has them too. */
export function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

/** as nginx's lingering_timeout: time for a client to read the response and close */
export const LIMIT_LINGER_MS = 5000
