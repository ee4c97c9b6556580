import { constants } from 'node:crypto'
import { Socket } from 'node:net'
import type { SecureContext, Server, TLSSocket, TlsOptions } from 'node:tls'
import type { Log } from '#core/log.ts'
import { answerChallenge } from './challenge.ts'
import { peekHellos } from './peek.ts'
import { secureOptions } from './secure.ts'
import type { CertificateStore, Choice, Ready } from './store.ts'
import { takesEcdsa } from './takes-ecdsa.ts'
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
  /** milliseconds since 1970; the clock of the system when not given */
  readonly now?: () => number
  readonly log: Log
  /** offered protocols, the best first (RFC 7301) */
  readonly protocols?: readonly string[]
  /** A client asks for a name that no certificate has. @returns whether there is one now */
  readonly onMiss?: (serverName: string) => Promise<boolean>
  /** digests (hex) by name that authorities may look for with acme-tls/1 (RFC 8737 §3), as they stand now */
  readonly digests?: () => Readonly<Record<string, string>>
  /** who is meant by clients that send no name; the first certificate when absent */
  readonly nameless?: () => string | undefined
  /** shared by all threads on one port */
  readonly ticketKeys: TicketKeys
}

/**
 * Serve handshakes from a store.
 *
 * A client that sends no name gets the first certificate. One that asks for a name without certificate is refused
 * with unrecognized_name (RFC 6066 §3), unless the file says otherwise: another host's certificate would only make it
 * warn its user.
 *
 * @example const server = createServer(handshake.options, onConnection); handshake.attach(server)
 */
export function createHandshake(options: HandshakeOptions): Handshake {
  const { store, now = Date.now, log, onMiss, ticketKeys, protocols = ['http/1.1'] } = options
  const { nameless = () => undefined, digests = (): Readonly<Record<string, string>> => ({}) } = options
  /** connections of clients that need the certificate beside */
  const withoutEcdsa = new WeakSet<object>()

  // `this` is the TLSSocket: the callback alone cannot send an alert.
  function selectContext(
    this: TLSSocket,
    serverName: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): void {
    const choice = store.contextFor(serverName)
    if (!(choice instanceof Promise) && choice.reason !== MISS) return settle(this, choice, serverName, done)
    void Promise.resolve(choice)
      .then(async (chosen) => {
        if (chosen.reason !== MISS || onMiss === undefined) return chosen
        return (await onMiss(serverName.toLowerCase())) ? store.contextFor(serverName) : chosen
      })
      .then(
        (chosen) => settle(this, chosen, serverName, done),
        // The main thread did not say: this client may try again.
        () => settle(this, { ready: null, reason: 'not issued yet' }, serverName, done),
      )
  }

  function settle(
    socket: TLSSocket,
    choice: Choice,
    serverName: string,
    done: (error: Error | null, context?: SecureContext) => void,
  ): void {
    if (choice.ready !== null) {
      if (choice.asksClient) askForCertificate(socket)
      const { context, beside } = choice.ready
      done(null, beside !== null && withoutEcdsa.has(connectionBelow(socket)) ? beside : context)
      return
    }
    const isUnknown = choice.reason !== 'not issued yet'
    const policy = isUnknown ? store.unknownNames() : 'refuse'
    if (policy === 'default' && choice.reason !== 'no certificates') {
      done(null)
      return
    }
    log('debug', 'handshake refused', { serverName, reason: choice.reason })
    if (policy === 'close') socket.destroy()
    else refuse(socket, isUnknown ? UNRECOGNIZED_NAME : INTERNAL_ERROR, done)
  }

  /** What the server uses where no name selects a context; ticket keys always come from here. */
  function defaults(first: Ready | null): TlsOptions {
    // Here OpenSSL itself chooses among several kinds of keys.
    const pairs = first === null ? [] : [first.issued, ...(first.issued.beside ? [first.issued.beside] : [])]
    const certificate =
      first === null ? {} : { key: pairs.map(({ key }) => key), cert: pairs.map(({ chain }) => chain) }
    return {
      ...secureOptions,
      ...certificate,
      secureOptions: store.asksClients() ? OPTIONS_WITHOUT_TICKETS : OPTIONS,
      ticketKeys: ticketKeys.current(),
      sessionIdContext: 'portico',
      sessionTimeout: Math.floor(store.limits().sessionTimeoutMs / 1000),
    }
  }

  function attach(server: Server): void {
    peekHellos(server, {
      isWanted: () => store.hasPairs() || Object.keys(digests()).length > 0,
      timeoutMs: () => store.limits().handshakeTimeoutMs,
      onHello(socket, hello) {
        if (hello === null) return false
        if (!takesEcdsa(hello)) withoutEcdsa.add(socket)
        return answerChallenge(socket, hello, digests()[hello.serverName], now())
      },
    })
    let served: unknown
    let keys: unknown
    let asksClients = store.asksClients()
    // In front of the server's own listener, which begins the handshake. No timer: a laptop sleeps through those.
    server.prependListener('connection', () => {
      const first = store.contextNow(nameless()).ready
      const isSame = served === first?.issued && keys === ticketKeys.current()
      if (isSame && asksClients === store.asksClients()) return
      asksClients = store.asksClients()
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

const MISS = 'no certificate has this name'

const OPTIONS = secureOptions.secureOptions ?? 0
/**
 * OpenSSL chooses no context for a session that is resumed, so nobody would be asked for a certificate. Where any host
 * asks, no session is resumed.
 */
const OPTIONS_WITHOUT_TICKETS = OPTIONS | constants.SSL_OP_NO_TICKET

/** Node lets a server ask all clients or none; what it sets for a connection it keeps to itself. */
function askForCertificate(socket: TLSSocket): void {
  const handle = Reflect.get(socket, '_handle') as { setVerifyMode(request: boolean, reject: boolean): void }
  handle.setVerifyMode(true, true)
  Reflect.set(socket, '_requestCert', true)
  Reflect.set(socket, '_rejectUnauthorized', true)
}

function connectionBelow(socket: TLSSocket): object {
  return Reflect.get(socket, '_parent') as object
}

// RFC 8446 §6: a fatal alert in a record of its own, in clear because no keys are agreed yet.
const UNRECOGNIZED_NAME = Buffer.of(0x15, 3, 3, 0, 2, 2, 112)
const INTERNAL_ERROR = Buffer.of(0x15, 3, 3, 0, 2, 2, 80)

/**
 * End a handshake with an alert. Node would close without one (an error) or go on with the default certificate
 * (no context), so the alert goes to the connection below, which has carried nothing from us until now.
 */
function refuse(socket: TLSSocket, alert: Buffer, done: (error: Error) => void): void {
  const below = connectionBelow(socket)
  if (below instanceof Socket) {
    below.on('error', () => {}) // a client that is gone needs no alert
    below.end(alert, () => below.destroy())
  } else {
    done(new Error('No certificate for this name'))
  }
}
