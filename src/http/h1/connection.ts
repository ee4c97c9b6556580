import type { Socket } from 'node:net'
import {
  type ClientConnection,
  type ConnectionHost,
  clientOf,
  LIMIT_LINGER_MS,
  type ServedConnection,
  type TunnelEnd,
} from '#http/client-connection.ts'
import { TICK_MS } from '#http/clock.ts'
import type { Client, EndReason, Exchange, Request } from '#http/exchange.ts'
import { Http2Connection } from '#http/h2/connection.ts'
import { Output } from '#http/output.ts'
import type { Transfer } from '#http/transfer.ts'
import type { ParsedRequest } from '#http/wire/head.ts'
import { Input } from '#http/wire/input.ts'
import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { AcceptedRequest } from './accept.ts'
import { readShared, type SocketOwner, sharedRead, tellEvents, wasReset } from './client-socket.ts'
import { beginsHttp2, HeadReader } from './head-reader.ts'
import { Leftover, LIMIT_DISCARD_OCTETS } from './leftover.ts'
import { refusalResponse } from './refusal-response.ts'
import { RequestBody } from './request-body.ts'
import { runHandler } from './run-handler.ts'
import { ServerExchange } from './server-exchange.ts'

/**
 * One client connection: reads requests, one at a time, and hands each to the handler. The socket was accepted with
 * `allowHalfOpen` and a high-water mark of `COPY_OCTETS`.
 */
export class Connection implements ClientConnection, ServedConnection, SocketOwner {
  readonly host: ConnectionHost
  readonly input: Input = new Input()
  readonly output: Output
  keepsAlive = true
  /** the client sent FIN */
  isReadOver = false
  readonly #socket: Socket
  readonly #client: Client
  #phase: 'head' | 'exchange' | 'discard' | 'tunnel' | 'closing' | 'closed' = 'head'
  #exchange: ServerExchange | undefined
  #tunnel: TunnelEnd | undefined
  #isAdvancing = false
  #isPaused = false
  #awaitsContinue = false
  #hasServed = false
  #successor: Http2Connection | undefined
  readonly #heads = new HeadReader()
  #leftover: Leftover | null = null
  /** when to give up waiting for the client to send; Infinity when nothing is waited for */
  #readDeadlineMs: number

  constructor(socket: Socket, host: ConnectionHost, secure: boolean) {
    this.host = host
    this.#socket = secure ? socket : readShared(socket, this)
    this.output = new Output(this.#socket)
    this.#client = clientOf(this.#socket, secure, host.proxied)
    // Who connects has a request to send: that it is slow counts as a slow head.
    this.#readDeadlineMs = this.#after(host.limits.headerTimeoutMs)
    host.connections.add(this)
    if (secure) socket.on('data', (chunk: Buffer) => this.takeChunk(chunk, chunk.length))
    tellEvents(this.#socket, this)
  }

  get isReadingHead(): boolean {
    return this.#phase === 'head'
  }

  get blocks(): RequestBody['blocks'] {
    return this.#exchange?.body?.blocks
  }

  get dateLine(): string {
    return this.host.clock.dateLine
  }

  check(nowMs: number): void {
    const { bodyTimeoutMs } = this.host.limits
    if (this.output.taking.silentMs(nowMs) > bodyTimeoutMs + TICK_MS) this.destroy('client too slow')
    else if (nowMs > this.#readDeadlineMs) this.#takeSilence()
    else if (this.#isPaused && wasReset(this.#socket)) this.destroy('client left')
  }

  transfers(nowMs: number): Transfer[] {
    return [this.#exchange?.transfer(nowMs) ?? []].flat()
  }

  retire(): void {
    const mayAsk = this.keepsAlive && !this.#hasServed
    this.keepsAlive = false
    if (!mayAsk && this.#phase === 'head' && this.input.length === 0) this.#close()
  }

  /** End at once: a response that is under way cannot be taken as complete. */
  destroy(reason: EndReason): void {
    if (this.#phase === 'closed') return
    const wasAnswering = this.#phase === 'exchange' && this.#exchange?.status !== 0
    this.#phase = 'closed'
    this.host.connections.delete(this)
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#tunnel = undefined
    if (exchange !== undefined) this.#endExchange(exchange, reason)
    if (this.#socket.destroyed) return
    // FIN would be the proper end of a response without length: RST is not. TLS has no RST, and no close_notify is sent.
    if (wasAnswering && !this.#client.secure) this.#socket.resetAndDestroy()
    else this.#socket.destroy()
  }

  sendContinue(): void {
    if (!this.#awaitsContinue) return
    this.#awaitsContinue = false
    this.output.send('HTTP/1.1 100 Continue\r\n\r\n')
  }

  decideToKeepAlive(body: RequestBody | null): void {
    if (this.host.isDraining || (this.isReadOver && this.input.length === 0)) this.keepsAlive = false
    if (body === null || body.isComplete) return
    // Without 100 the client may send the content or not: what comes next could be either.
    if (this.#awaitsContinue || (body.leftOctets > LIMIT_DISCARD_OCTETS && !body.isWaiting))
      this.keepsAlive = false
  }

  becomeTunnel(tunnel: TunnelEnd): void {
    this.#phase = 'tunnel'
    this.#tunnel = tunnel
    this.#readDeadlineMs = Infinity
    this.keepsAlive = false
    this.output.flush()
    tunnel.resume()
  }

  finishExchange(finished: Exchange): void {
    const exchange = this.#exchange
    if (exchange === undefined || exchange !== finished) return
    this.#exchange = undefined
    this.#endExchange(exchange, 'finished')
    if (this.#phase === 'closed') return
    this.#phase = 'discard'
    this.#leftover = exchange.body === null ? null : new Leftover(exchange.body)
    this.#advance()
  }

  finishTunnel(): void {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#tunnel = undefined
    if (exchange !== undefined) this.#endExchange(exchange, 'finished')
    this.#close()
  }

  shutdown(): void {
    this.output.flush()
    this.#socket.end()
  }

  noteProgress(): void {
    if (this.#phase === 'exchange' && this.isReadOver) this.#readDeadlineMs = this.#leaveMs()
    this.output.taking.note(this.output.isBlocked, this.host.clock.nowMs)
  }

  resumeReading(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#socket.resume()
  }

  takeChunk(chunk: Buffer, count: number): void {
    if (this.#successor !== undefined) return this.#successor.take(chunk.subarray(0, count))
    this.host.stats.receivedOctets += count
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.input.append(chunk, count)
    this.#advance()
    this.input.leave(sharedRead)
    // A head that is under way has a limit of its own, unless it waits because the client takes no responses.
    const isReadingHead = this.#phase === 'head' && !this.output.isBlocked
    if (isReadingHead || this.input.length < LIMIT_AHEAD_OCTETS) return
    this.#isPaused = true
    this.#socket.pause()
  }

  takeDrain(): void {
    if (!this.output.isBlocked) return
    this.output.isBlocked = false
    this.noteProgress()
    this.#exchange?.resume()
    this.#advance()
  }

  takeEnd(): void {
    this.isReadOver = true
    if (this.#phase !== 'exchange') return this.#advance()
    if (this.#exchange!.body?.isWaiting === true) this.destroy('client left')
    else this.#readDeadlineMs = this.#leaveMs()
  }

  /** The client did not send in time. */
  #takeSilence(): void {
    this.#readDeadlineMs = Infinity
    if (this.#phase === 'head' && this.input.length > 0) {
      this.#refuse(refuse(408, 'the head did not arrive in time'))
    } else if (this.#phase !== 'exchange') {
      this.destroy('client too slow')
    } else if (this.isReadOver) {
      // Octets that the client does not take have a deadline of their own.
      if (!this.output.isBlocked) this.destroy('client left')
    } else {
      this.#breakBody(refuse(408, 'the content did not arrive in time'), 'client too slow')
    }
  }

  #advance(): void {
    // Responses that are at hand are written while their request is read: the loop below goes on then.
    if (this.#isAdvancing) return
    this.#isAdvancing = true
    while (this.#step()) {}
    this.#isAdvancing = false
    this.output.release()
  }

  /** Do one thing with the input. Returns whether there may be more to do. */
  #step(): boolean {
    switch (this.#phase) {
      case 'head':
        return !this.output.isBlocked && this.#readHead()
      case 'exchange': {
        const body = this.#exchange!.body
        body?.feed()
        if (body !== null && this.#phase === 'exchange') this.#watchBody(body)
        return this.#phase !== 'exchange'
      }
      case 'discard':
        return this.#discard()
      case 'tunnel':
        this.#tunnel!.feed()
        return false
      default:
        return false
    }
  }

  #readHead(): boolean {
    const { limits } = this.host
    const read = this.#heads.read(this.input, limits, this.#client.secure)
    if (read === undefined) {
      const isFirst = this.input.length > 0 && !this.#heads.hasBegun
      if (isFirst) this.#readDeadlineMs = this.#after(limits.headerTimeoutMs)
      this.#heads.hasBegun ||= isFirst
      // More of a head will not come after FIN.
      if (this.isReadOver) this.#close()
      else this.resumeReading()
      return false
    }
    if ('refusal' in read) {
      if (beginsHttp2(this.input) && !this.#hasServed) this.#becomeHttp2()
      else this.#refuse(read.refusal, read.method)
      return false
    }
    this.#begin(read.head, read.accepted)
    return true
  }

  /** RFC 9113 §3.3: the client knows that we speak HTTP/2. Who speaks HTTP/1.1 pays nothing for being asked. */
  #becomeHttp2(): void {
    this.#phase = 'closed'
    this.host.connections.delete(this)
    const begun = Buffer.from(this.input.take(this.input.length))
    this.#successor = new Http2Connection(this.#socket, this.host, this.#client.secure, begun)
  }

  #begin(head: ParsedRequest, accepted: AcceptedRequest): void {
    if (accepted.length !== 0) this.input.leave(sharedRead)
    const body = accepted.length === 0 ? null : this.#createBody(accepted.length)
    const request: Request = {
      method: head.method,
      authority: accepted.authority,
      host: accepted.host,
      target: accepted.target,
      version: head.minor === 0 ? '1.0' : '1.1',
      fields: head.fields,
      client: this.#client,
      body,
      lengthOctets: accepted.length === 'chunked' ? null : accepted.length,
      upgrade: accepted.upgrade,
    }
    const exchange = new ServerExchange(this, request, body)
    this.#exchange = exchange
    this.#hasServed = true
    this.#phase = 'exchange'
    this.#readDeadlineMs = this.#leaveMs()
    this.keepsAlive = accepted.keepsAlive && !this.host.isDraining
    this.#awaitsContinue = accepted.expectsContinue && this.input.length === 0
    if (this.input.length > 0) this.output.isHolding = true
    this.host.stats.requests++
    if (runHandler(this.host.handler, exchange, this.host.log) || this.#exchange !== exchange) return
    this.#breakBody(refuse(500, 'this server failed'), 'portico failed')
  }

  #createBody(length: number | 'chunked'): RequestBody {
    return new RequestBody({
      input: this.input,
      length,
      limits: this.host.limits,
      onWanted: () => this.#wantBody(),
      onRefused: (refusal) => {
        this.#breakBody(refusal, refusal.status === 413 ? 'limit' : 'client broke the protocol')
      },
    })
  }

  #wantBody(): void {
    if (this.#phase !== 'exchange') return
    if (this.isReadOver) return this.destroy('client left')
    this.sendContinue()
    this.output.flush()
    this.#readDeadlineMs = this.#after(this.host.limits.bodyTimeoutMs)
    this.resumeReading()
  }

  /** After octets came: the time for the next ones begins, or nobody waits. */
  #watchBody(body: RequestBody): void {
    if (this.isReadOver) return
    this.#readDeadlineMs = body.isWaiting ? this.#after(this.host.limits.bodyTimeoutMs) : Infinity
  }

  /** Content that cannot be read on: answer when there is no answer yet, and close. */
  #breakBody(refusal: Refusal, reason: EndReason): void {
    const exchange = this.#exchange
    if (exchange === undefined) return this.#close()
    if (exchange.status !== 0) return this.destroy(reason)
    this.#exchange = undefined
    exchange.status = refusal.status
    this.#refuse(refusal, exchange.request.method)
    this.#endExchange(exchange, reason)
  }

  /** After the response: read over what is left of the content, then go on or close. */
  #discard(): boolean {
    const left = this.keepsAlive ? (this.#leftover?.skip() ?? 'nothing') : 'nothing'
    if (this.#phase !== 'discard') return false
    if (left === 'more' && !this.isReadOver) {
      this.#readDeadlineMs = this.#after(this.host.limits.bodyTimeoutMs)
      this.resumeReading()
      return false
    }
    this.#leftover = null
    if (!this.keepsAlive || left !== 'nothing') {
      this.#close()
      return false
    }
    this.#phase = 'head'
    this.#readDeadlineMs = this.#after(this.host.limits.idleTimeoutMs)
    return true
  }

  #endExchange(exchange: ServerExchange, reason: EndReason): void {
    const { stats } = this.host
    stats.sentOctets += exchange.end(reason)
    stats.byClass[Math.floor(exchange.status / 100)]!++
  }

  /** Answer what cannot be served, and close. */
  #refuse(refusal: Refusal, method?: string): void {
    const { status, reason } = refusal
    this.host.log('info', 'http/refused', { client: this.#client.address, status, reason })
    if (this.#phase === 'head') this.host.stats.byClass[Math.floor(status / 100)]!++
    this.keepsAlive = false
    const { head, body } = refusalResponse(refusal, this.host.clock.dateLine, method === 'HEAD')
    this.output.send(head, body)
    this.#close()
  }

  /**
   * Close so that the client receives what was sent (RFC 9112 §9.6): FIN, then read on for a while.
   * Closing with unread octets would send RST, which takes the response away from the client.
   */
  #close(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.#phase = 'closing'
    this.input.use(this.input.length)
    this.#readDeadlineMs = this.#after(LIMIT_LINGER_MS)
    this.shutdown()
    this.resumeReading()
  }

  /** A client may send FIN after its request and still read. Most that do so have left, which silence shows. */
  #leaveMs(): number {
    return this.isReadOver ? this.#after(LIMIT_HALF_OPEN_MS) : Infinity
  }

  #after(ms: number): number {
    return this.host.clock.nowMs + ms + TICK_MS
  }
}

/** octets that may wait while a request is served: pipelined requests, or content that is not wanted yet */
const LIMIT_AHEAD_OCTETS = 65_536
/** time for the next octet of a response after the client's FIN */
const LIMIT_HALF_OPEN_MS = 5000
