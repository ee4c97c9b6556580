import { Socket } from 'node:net'
import type { SecureContext, Server, TLSSocket, TlsOptions } from 'node:tls'
import type { Log } from '#core/log.ts'
import { secureOptions } from './secure.ts'
import type { CertificateStore, Choice, Ready } from './store.ts'
import type { TicketKeys } from './ticket-keys.ts'

/** What servers of `node:tls` need to serve the certificates of a store. */
export type Handshake = {
  /** for `tls.createServer`; then `attach` the server */
  readonly options: TlsOptions
  /** Keep the certificate for clients without a name and the ticket keys fresh; log failed handshakes. */
  attach(server: Server): void
}

export type HandshakeOptions = {
  readonly store: CertificateStore
  readonly log: Log
  /** offered protocols, the best first (RFC 7301) */
  readonly protocols?: readonly string[]
  /** who is meant by clients that send no name; the first certificate when absent */
  readonly nameless?: () => string | undefined
  /** shared by all threads on one port */
  readonly ticketKeys: TicketKeys
}

/**
 * Serve handshakes from a store.
 *
 * A client that sends no name gets the first certificate. One that asks for a name without certificate is refused
 * with unrecognized_name (RFC 6066 §3): another host's certificate would only make it warn its user.
 *
 * @example const server = createServer(handshake.options, onConnection); handshake.attach(server)
 */
export function createHandshake(options: HandshakeOptions): Handshake {
  const { store, log, ticketKeys, nameless = () => undefined, protocols = ['http/1.1'] } = options

  // `this` is the TLSSocket: the callback alone cannot send an alert.
  function selectContext(
    this: TLSSocket,
    serverName: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): void {
    const answer = ({ ready, reason }: Choice): void => {
      if (ready !== null) return done(null, ready.context)
      log('debug', 'handshake refused', { serverName, reason })
      refuse(this, reason === 'not issued yet' ? INTERNAL_ERROR : UNRECOGNIZED_NAME, done)
    }
    const choice = store.contextFor(serverName)
    if (choice instanceof Promise) void choice.then(answer)
    else answer(choice)
  }

  /** What the server uses where no name selects a context; ticket keys always come from here. */
  function defaults(first: Ready | null): TlsOptions {
    const certificate = first === null ? {} : { key: first.issued.key, cert: first.issued.chain }
    return {
      ...secureOptions,
      ...certificate,
      ticketKeys: ticketKeys.current(),
      sessionIdContext: 'portico',
      sessionTimeout: Math.floor(store.limits().sessionTimeoutMs / 1000),
    }
  }

  function attach(server: Server): void {
    let served: unknown
    let keys: unknown
    // In front of the server's own listener, which begins the handshake. No timer: a laptop sleeps through those.
    server.prependListener('connection', () => {
      const first = store.contextNow(nameless()).ready
      if (served === first?.issued && keys === ticketKeys.current()) return
      served = first?.issued
      keys = ticketKeys.current()
      server.setSecureContext(defaults(first))
    })
    server.on('tlsClientError', (error: Error & { code?: string }, socket) => {
      const fields = { from: socket.remoteAddress, code: error.code, error: error.message }
      log('debug', 'handshake failed', fields)
      // Node reports a handshake that takes too long, and leaves the connection open.
      socket.destroy()
    })
  }

  const served: TlsOptions = {
    ...defaults(store.contextNow(nameless()).ready),
    SNICallback: selectContext,
    ALPNProtocols: [...protocols],
    handshakeTimeout: store.limits().handshakeTimeoutMs,
  }
  return { options: served, attach }
}

// RFC 8446 §6: a fatal alert in a record of its own, in clear because no keys are agreed yet.
const UNRECOGNIZED_NAME = Buffer.of(0x15, 3, 3, 0, 2, 2, 112)
const INTERNAL_ERROR = Buffer.of(0x15, 3, 3, 0, 2, 2, 80)

/**
 * End a handshake with an alert. Node would close without one (an error) or go on with the default certificate
 * (no context), so the alert goes to the connection below, which has carried nothing from us until now.
 */
function refuse(socket: TLSSocket, alert: Buffer, done: (error: Error) => void): void {
  const below: unknown = Reflect.get(socket, '_parent')
  if (below instanceof Socket) {
    below.on('error', () => {}) // a client that is gone needs no alert
    below.end(alert, () => below.destroy())
  } else {
    done(new Error('No certificate for this name'))
  }
}
