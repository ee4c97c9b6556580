import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import {
  type ConnectionHost,
  clientOf,
  LIMIT_LINGER_MS,
  type ServedConnection,
} from '../client-connection.ts'
import { TICK_MS } from '../clock.ts'
import type { Client, EndReason, Request } from '../exchange.ts'
import type { HttpLimits } from '../plan.ts'
import type { Transfer } from '../transfer.ts'
import { isRefusal, type Refusal, refuse } from '../wire/refusal.ts'
import { FrameOutput } from './frame-output.ts'
import { Receiver, type ReceiverOwner } from './receiver.ts'
import { prioritize, RequestMaker } from './request-maker.ts'
import { Sender, type SenderOwner } from './sender.ts'
import { Stream } from './stream.ts'
import { StreamBody } from './stream-body.ts'
import { Streams } from './streams.ts'
import type { H2Error } from './wire/error.ts'
import * as errors from './wire/error.ts'
import type { RefusedHead, RequestHead } from './wire/request-fields.ts'
import {
  ENABLE_CONNECT_PROTOCOL,
  MAX_CONCURRENT_STREAMS,
  MAX_HEADER_LIST_SIZE,
  NO_RFC7540_PRIORITIES,
} from './wire/settings.ts'

/** One client connection that speaks HTTP/2: opens a stream for each request and hands it to the handler. */
export class Http2Connection implements ServedConnection, ReceiverOwner, SenderOwner {
  readonly #host: ConnectionHost
  readonly #socket: Socket
  readonly #client: Client
  readonly #output: FrameOutput
  readonly #streams = new Streams()
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #requests: RequestMaker
  /** 'retiring': GOAWAY was announced; 'leaving': it has named the last stream; 'closing': FIN is on its way */
  #phase: 'open' | 'retiring' | 'leaving' | 'closing' | 'closed' = 'open'
  /** what the phase waits for, in milliseconds of the clock */
  #deadlineMs: number
  #lastTickMs: number
  /** since when the socket has taken nothing of what it was given */
  #writingSinceMs = Infinity
  #takenBefore = 0
  #readAtMs = 0
  #isPaused = false
  /** the client sent FIN: no window will open any more */
  #isReadOver = false
  /** what GOAWAY named; it may not name a later one (RFC 9113 §6.8) */
  #lastServed = LAST_STREAM

  /** @param begun what has come already of a connection that was taken for one of HTTP/1.1 */
  constructor(socket: Socket, host: ConnectionHost, secure: boolean, begun?: Buffer) {
    this.#host = host
    this.#socket = socket
    this.#client = clientOf(socket, secure, host.proxied)
    this.#output = new FrameOutput(socket, () => this.#taken())
    this.#sender = new Sender(this.#output, host.clock, this)
    this.#receiver = new Receiver(this, this.#sender, this.#streams, secure)
    this.#requests = new RequestMaker(this.#client)
    this.#lastTickMs = host.clock.nowMs
    this.#deadlineMs = this.#after(host.limits.headerTimeoutMs)
    host.connections.add(this)
    socket.on('data', (chunk: Buffer) => this.take(chunk))
    socket.on('end', () => this.#takeEnd())
    // Not every error of TLS closes the socket.
    socket.on('error', () => this.destroy('client left'))
    socket.on('close', () => this.destroy('client left'))
    // RFC 9113 §9.2.1: a handshake in the middle would hold up every stream.
    if (socket instanceof TLSSocket) socket.disableRenegotiation()
    this.#greet()
    if (begun !== undefined) this.take(begun)
    socket.resume()
  }

  get limits(): HttpLimits {
    return this.#host.limits
  }

  get nowMs(): number {
    return this.#host.clock.nowMs
  }

  get refusesStreams(): boolean {
    return this.#phase !== 'open' && this.#phase !== 'retiring'
  }

  /** Look at the deadlines; called at every tick of the clock. */
  check(nowMs: number): void {
    this.#receiver.refill(nowMs - this.#lastTickMs)
    this.#lastTickMs = nowMs
    this.#watchOutput(nowMs)
    const { headerTimeoutMs, bodyTimeoutMs } = this.limits
    if (this.#isLate(this.#writingSinceMs, bodyTimeoutMs)) this.destroy('client too slow')
    else if (this.#isLate(this.#receiver.headSinceMs, headerTimeoutMs)) this.#giveUp('a head')
    else if (this.#receiver.isInsideFrame && this.#isLate(this.#readAtMs, bodyTimeoutMs))
      this.#giveUp('a frame')
    else if (nowMs > this.#deadlineMs) this.#takeDeadline()
    else if (this.#streams.open.size > 0) this.#checkStreams(nowMs)
  }

  transfers(nowMs: number): Transfer[] {
    const silentMs = Math.max(0, nowMs - this.#writingSinceMs)
    return [...this.#streams.open.values()].flatMap((stream) => stream.transfer(nowMs, silentMs) ?? [])
  }

  /** RFC 9113 §6.8: GOAWAY twice, so that requests that are on their way are still served. */
  retire(): void {
    if (this.#phase !== 'open') return
    this.#phase = 'retiring'
    this.#sender.writeGoaway(LAST_STREAM, errors.NO_ERROR, '')
    this.#sender.writePing(RETIRE_PING, 0)
    this.#deadlineMs = this.#after(LIMIT_RETIRE_MS)
  }

  destroy(reason: EndReason): void {
    if (this.#phase === 'closed') return
    this.#phase = 'closed'
    this.#receiver.stop()
    this.#host.connections.delete(this)
    for (const stream of [...this.#streams.open.values()]) this.#close(stream, reason, false)
    if (!this.#socket.destroyed) this.#socket.destroy()
  }

  request(streamId: number, head: RequestHead | RefusedHead, hasContent: boolean): void {
    const isTunnel = !isRefusal(head) && head.protocol !== undefined
    const body = hasContent || isTunnel ? new StreamBody(streamId, this.#receiver.window) : null
    if (isTunnel && !hasContent) body!.complete(undefined)
    if (isRefusal(head)) {
      this.#refuse(this.#open(streamId, this.#requests.refused(head.method), body), head)
      return
    }
    const request = this.#requests.make(head, body)
    const stream = this.#open(streamId, request, body)
    prioritize(stream, head.fields, this.#receiver.controls.takePriority(streamId))
    const refusal = this.#judge(request, stream)
    if (refusal !== undefined) {
      this.#refuse(stream, refusal)
      return
    }
    this.#host.stats.requests++
    this.#host.stats.http2Requests++
    try {
      this.#host.handler(stream)
    } catch (error) {
      this.#takeBug(stream, error)
    }
  }

  clientReset(stream: Stream): void {
    this.#close(stream, 'client left', false)
  }

  clientEnded(stream: Stream): void {
    if (stream.isTunnel && stream.isSent) this.#close(stream, 'finished', false)
  }

  /** Content that cannot be read on: answer when there is no answer yet. */
  breakBody(stream: Stream, refusal: Refusal, reason: EndReason = 'limit'): void {
    stream.body?.fail(refusal.reason)
    if (stream.hasEnded || stream.isRefused) return
    if (stream.status === 0) this.#refuse(stream, refusal, reason)
    else this.abort(stream, reason)
  }

  bodyWanted(streamId: number): void {
    const stream = this.#streams.open.get(streamId)
    if (stream?.body == null) return
    stream.sendContinue()
    if (!stream.isTunnel) stream.body.deadlineMs = this.#after(this.limits.bodyTimeoutMs)
  }

  pinged(): void {
    if (this.#phase === 'retiring') this.#leave()
  }

  fail({ code, reason }: H2Error): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.#host.log('info', 'http/refused', { client: this.#client.address, status: 0, reason })
    this.#phase = 'closing'
    for (const stream of [...this.#streams.open.values()]) {
      this.#close(stream, 'client broke the protocol', false)
    }
    this.#sender.writeGoaway(Math.min(this.#lastServed, this.#streams.lastId), code, reason)
    this.#end()
  }

  failStream(stream: Stream, { code, reason }: H2Error): void {
    const { address } = this.#client
    this.#host.log('debug', 'http/stream-failed', { client: address, stream: stream.id, reason })
    this.#reset(stream, code, 'client broke the protocol')
  }

  abort(stream: Stream, reason: EndReason): void {
    this.#reset(stream, CODES[reason] ?? errors.INTERNAL_ERROR, reason)
  }

  finish(stream: Stream): void {
    stream.isSent = true
    const isOpen = stream.body !== null && !stream.body.isComplete
    if (isOpen && stream.isTunnel) return
    // RFC 9113 §8.1: the response is whole, and the rest of the request is not wanted. It leaves first, by itself: curl
    // 7.88 and others forget a response that they read together with the reset, while they still send.
    if (isOpen) setImmediate(() => this.#resetFinished(stream))
    this.#close(stream, stream.endReason, isOpen)
  }

  #resetFinished({ id }: Stream): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.#sender.writeReset(id, errors.NO_ERROR)
  }

  sentData(): void {
    this.#receiver.earn(EARNED_BY_DATA)
  }

  /** Our preface (RFC 9113 §3.4). */
  #greet(): void {
    const { limits } = this
    this.#sender.writeSettings([
      [MAX_CONCURRENT_STREAMS, limits.http2Streams],
      [MAX_HEADER_LIST_SIZE, limits.headerOctets],
      [ENABLE_CONNECT_PROTOCOL, 1],
      [NO_RFC7540_PRIORITIES, 1],
    ])
    this.#receiver.window.announce()
  }

  /** Octets have come; those of a socket that reads into memory of its own are handed in. */
  take(chunk: Buffer): void {
    this.#host.stats.receivedOctets += chunk.length
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.#readAtMs = this.nowMs
    const hadBegun = this.#receiver.hasBegun
    this.#receiver.take(chunk)
    if (!hadBegun && this.#receiver.hasBegun && this.#streams.open.size === 0) this.#awaitRequest()
    // Answers to PING and SETTINGS of a client that reads none of them must not gather.
    if (this.#output.waitingOctets < LIMIT_WAITING_OCTETS || this.#isPaused) return
    this.#isPaused = true
    this.#socket.pause()
  }

  /** The socket has taken what it was given. */
  #taken(): void {
    if (this.#phase === 'closing' || this.#phase === 'closed') return
    this.#sender.sendSoon()
    if (!this.#isPaused || this.#output.waitingOctets >= LIMIT_WAITING_OCTETS) return
    this.#isPaused = false
    this.#socket.resume()
  }

  /** Notice, from tick to tick, whether the socket takes what it is given. */
  #watchOutput(nowMs: number): void {
    const { isWriting, taken } = this.#output
    if (isWriting && taken === this.#takenBefore) return
    this.#takenBefore = taken
    this.#writingSinceMs = isWriting ? nowMs : Infinity
  }

  /** A client that sends no more gets what it asked for. */
  #takeEnd(): void {
    this.#isReadOver = true
    for (const stream of [...this.#streams.open.values()]) {
      if (stream.body !== null && !stream.body.isComplete) this.#close(stream, 'client left', false)
    }
    if (this.#phase === 'open' || this.#phase === 'retiring') this.#leave()
  }

  #open(streamId: number, request: Request, body: StreamBody | null): Stream {
    const stream = new Stream(this.#sender, streamId, request, body, this.#sender.settings.initialWindowSize)
    this.#streams.open.set(streamId, stream)
    if (this.#phase === 'open') this.#deadlineMs = Infinity
    return stream
  }

  #judge({ lengthOctets, fields }: Request, stream: Stream): Refusal | undefined {
    const { bodyOctets } = this.limits
    if (lengthOctets !== null && lengthOctets > bodyOctets) {
      return refuse(413, `the content of ${lengthOctets} octets is larger than ${bodyOctets} octets`)
    }
    const expectation = fields.get('expect')
    if (expectation === undefined) return undefined
    stream.awaitsContinue = stream.body !== null
    if (expectation.toLowerCase() === '100-continue') return undefined
    return refuse(417, `the expectation "${expectation.slice(0, 40)}" is not known`)
  }

  #refuse(stream: Stream, { status, reason }: Refusal, why: EndReason = 'client broke the protocol'): void {
    this.#host.log('info', 'http/refused', { client: this.#client.address, status, reason })
    const detail = `${reason[0]!.toUpperCase()}${reason.slice(1)}.`
    stream.refuse({ status, detail, fault: status === 500 ? 'portico' : 'client' }, why)
  }

  #takeBug(stream: Stream, error: unknown): void {
    this.#host.log('error', 'http/handler-failed', {
      target: stream.request.target,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
    this.breakBody(stream, refuse(500, 'this server failed'), 'portico failed')
  }

  #reset(stream: Stream, code: number, reason: EndReason): void {
    if (stream.hasEnded) return
    this.#sender.writeReset(stream.id, code)
    this.#close(stream, reason, true)
  }

  #close(stream: Stream, reason: EndReason, isReset: boolean): void {
    if (stream.hasEnded) return
    const { stats } = this.#host
    this.#streams.close(stream.id, isReset)
    this.#sender.remove(stream)
    stats.byClass[Math.floor(stream.status / 100)]!++
    stats.sentOctets += stream.end(reason)
    if (this.#streams.open.size === 0) this.#takeIdle()
  }

  #takeIdle(): void {
    if (this.#phase === 'open') this.#awaitRequest()
    else if (this.#phase === 'leaving') this.#end()
  }

  #awaitRequest(): void {
    if (this.#phase === 'open') this.#deadlineMs = this.#after(this.limits.idleTimeoutMs)
  }

  #takeDeadline(): void {
    if (this.#phase === 'closing') this.destroy('client too slow')
    else if (this.#phase === 'retiring') this.#leave()
    else if (!this.#receiver.hasBegun) this.#giveUp('the preface')
    else this.#leave()
  }

  /** Name the last stream that is served, and close when it and those before it have ended. */
  #leave(): void {
    this.#phase = 'leaving'
    this.#deadlineMs = Infinity
    this.#lastServed = this.#streams.lastId
    this.#sender.writeGoaway(this.#lastServed, errors.NO_ERROR, '')
    if (this.#streams.open.size === 0) this.#end()
  }

  #giveUp(what: string): void {
    this.fail(errors.connectionError(errors.ENHANCE_YOUR_CALM, `${what} did not arrive in time`))
  }

  /** FIN behind what was gathered; the client may read it and close. */
  #end(): void {
    this.#phase = 'closing'
    this.#deadlineMs = this.#after(LIMIT_LINGER_MS)
    this.#output.finish()
    // What still comes is thrown away, and so is the client's FIN awaited.
    this.#socket.resume()
  }

  #checkStreams(nowMs: number): void {
    const { bodyTimeoutMs } = this.limits
    for (const stream of [...this.#streams.open.values()]) {
      if (this.#isLate(stream.blockedSinceMs, this.#isReadOver ? 0 : bodyTimeoutMs)) {
        // All that share the window have waited as long.
        if (this.#sender.sendWindow <= 0) return this.#giveUp('a window')
        this.#reset(stream, errors.CANCEL, 'client too slow')
      } else if (stream.body !== null && nowMs > stream.body.deadlineMs) {
        this.breakBody(stream, refuse(408, 'the content did not arrive in time'), 'client too slow')
      }
    }
  }

  #isLate(sinceMs: number, limitMs: number): boolean {
    return this.nowMs > sinceMs + limitMs + TICK_MS
  }

  #after(ms: number): number {
    return this.nowMs + ms + TICK_MS
  }
}

/** RFC 9113 §6.8: every stream that there can be */
const LAST_STREAM = 0x7fffffff
const RETIRE_PING = randomBytes(8)
/** a client that does not answer PING is told the last stream after this time */
const LIMIT_RETIRE_MS = 1000
const LIMIT_WAITING_OCTETS = 262_144
/** WINDOW_UPDATE on both levels */
const EARNED_BY_DATA = 2

const CODES: { readonly [reason in EndReason]?: number } = {
  'client left': errors.CANCEL,
  'client broke the protocol': errors.PROTOCOL_ERROR,
  'client too slow': errors.CANCEL,
  'origin cancelled': errors.CANCEL,
  drain: errors.CANCEL,
  limit: errors.ENHANCE_YOUR_CALM,
}
