import http2 from 'node:http2'
import { isIP, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { OriginPlan } from '../service-plan.ts'
import { connectFailure, type OriginFailure, timeoutFailure } from './failure.ts'
import type { LinkOwner } from './link.ts'
import { openSocket } from './open-socket.ts'

/** What a session tells those who share it. */
export type SessionWatcher = {
  /** The origin has said how many streams it takes. */
  ready(session: OriginSession): void
  /** It takes no streams any more; `failure` when it never took any. */
  gone(session: OriginSession, failure: OriginFailure | undefined): void
}

/** What a session needs of the pool that it belongs to. */
export type SessionClimate = Pick<LinkOwner, 'limits' | 'now' | 'tickMs' | 'session' | 'secure'>

// gRPC's servers take more than a PING in five minutes for an attack.
const SILENT_MS = 310_000
const IDLE_MS = 60_000
// A session that is always busy would never see that its name has moved to another address.
const NAMED_MS = 60_000
/** what an origin may send on one stream before it is read: 8 MiB/s over a line of 32 ms */
const STREAM_WINDOW_OCTETS = 262_144
const CONNECTION_WINDOW_OCTETS = 16 * STREAM_WINDOW_OCTETS
// The state of streams counts against it: with Node's 10 MB streams are refused long before the origin's limit.
const SESSION_MEMORY_MB = 256

/** A connection to an origin that speaks HTTP/2, shared by requests (RFC 9113 §5.1). */
export class OriginSession {
  /** requests under way */
  streams = 0
  /** requests that it has had */
  requests = 0
  isReady = false
  readonly #climate: SessionClimate
  readonly #watcher: SessionWatcher
  readonly #socket: Socket
  readonly #isNamed: boolean
  readonly #openedAt: number
  #session: http2.ClientHttp2Session | undefined
  #idleSince: number
  #error: Error | undefined
  #isGone = false
  #heardOctets = 0
  #heardAt: number
  #isProving = false

  constructor(plan: OriginPlan, port: number, climate: SessionClimate, watcher: SessionWatcher) {
    this.#climate = climate
    this.#watcher = watcher
    this.#openedAt = this.#idleSince = this.#heardAt = climate.now
    this.#isNamed = plan.host !== '' && isIP(plan.host) === 0
    this.#socket = openSocket(plan, { port, session: climate.session, secure: climate.secure })
    const isSecure = plan.scheme === 'https'
    if (isSecure) this.#socket.on('session', (session: Buffer) => (climate.session = session))
    this.#socket.on('error', (error) => (this.#error ??= error))
    this.#socket.on('close', () => this.#leave())
    this.#socket.once(isSecure ? 'secureConnect' : 'connect', () => this.#greet(plan))
  }

  /** Another stream may be opened (RFC 9113 §5.1.2). */
  get hasRoom(): boolean {
    const { isReady, streams } = this
    return isReady && !this.#isGone && streams < this.#session!.remoteSettings.maxConcurrentStreams!
  }

  get takesTunnels(): boolean {
    return this.#session?.remoteSettings.enableConnectProtocol === true
  }

  /** Why all its streams ended at once; undefined while it is open. */
  get brokenBy(): string | undefined {
    return this.#socket.destroyed ? (this.#error?.message ?? 'the connection was closed') : undefined
  }

  /**
   * Open a stream.
   *
   * @throws {Error} when the origin has just left
   */
  request(pairs: readonly string[], options: http2.ClientSessionRequestOptions): http2.ClientHttp2Stream {
    this.requests++
    // Node's types know no list of names and values.
    return this.#session!.request(pairs as unknown as http2.OutgoingHttpHeaders, options)
  }

  /** A stream has ended, or was not opened in spite of its place. */
  leaveStream(): void {
    this.streams--
    this.#idleSince = this.#climate.now
  }

  sweep(): void {
    const { now, tickMs, limits } = this.#climate
    const waitedMs = now - this.#openedAt - tickMs
    if (!this.isReady) {
      if (waitedMs <= limits.connectTimeoutMs) return
      this.#error ??= new Error(timeoutFailure('accept a connection', limits.connectTimeoutMs).say)
      this.#socket.destroy()
    } else if (this.streams === 0 ? now - this.#idleSince > IDLE_MS : this.#isNamed && waitedMs > NAMED_MS) {
      this.retire()
    } else this.#prove(now)
  }

  /** Take no more streams; close with the last one. */
  retire(): void {
    if (this.#session === undefined) this.#socket.destroy()
    else if (!this.#session.closed) this.#session.close()
    this.#leave()
  }

  /** Close now. */
  destroy(): void {
    this.#session?.destroy()
    this.#socket.destroy()
  }

  /** Our preface; the origin's is SETTINGS (RFC 9113 §3.4). */
  #greet(plan: OriginPlan): void {
    const alpn = plan.scheme === 'https' ? (this.#socket as TLSSocket).alpnProtocol : 'h2'
    if (alpn !== 'h2') {
      this.#error ??= new Error('the origin did not choose HTTP/2 in the TLS handshake (RFC 9113 §3.2)')
      this.#socket.destroy()
      return
    }
    const options = {
      createConnection: () => this.#socket,
      maxSessionMemory: SESSION_MEMORY_MB,
      // What a field said twice means is for the origin to judge; Node would throw.
      strictSingleValueFields: false,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_OCTETS,
        maxHeaderListSize: this.#climate.limits.headerOctets,
      },
    }
    const session = http2.connect(`${plan.scheme}://${plan.authority}`, options)
    this.#session = session
    session.once('connect', () => session.setLocalWindowSize(CONNECTION_WINDOW_OCTETS))
    session.on('error', (error) => (this.#error ??= error))
    session.on('goaway', () => this.#leave())
    session.on('close', () => this.#leave())
    session.once('remoteSettings', () => {
      this.isReady = true
      this.#watcher.ready(this)
    })
  }

  /** RFC 9113 §6.7: a silent stream may be a quiet one or a dead origin. */
  #prove(now: number): void {
    const { bytesRead } = this.#socket
    if (bytesRead !== this.#heardOctets || this.streams === 0) {
      this.#heardOctets = bytesRead
      this.#heardAt = now
      this.#isProving = false
      return
    }
    const silentMs = now - this.#heardAt
    if (silentMs > SILENT_MS + this.#climate.limits.answerTimeoutMs) {
      this.#error ??= new Error('the origin did not answer PING')
      this.destroy()
    } else if (silentMs > SILENT_MS && !this.#isProving) {
      this.#isProving = true
      this.#session?.ping(() => {})
    }
  }

  #leave(): void {
    if (this.#isGone) return
    this.#isGone = true
    this.#watcher.gone(this, this.isReady ? undefined : this.#failure())
  }

  #failure(): OriginFailure {
    if (this.#session === undefined)
      return connectFailure(this.#error ?? new Error('the connection was closed'))
    const detail = this.#error?.message ?? 'the connection ended before SETTINGS'
    return {
      status: 502,
      reason: 'origin unreachable',
      say: 'The origin does not speak HTTP/2',
      detail: `no HTTP/2 at this port: ${detail}`,
    }
  }
}
