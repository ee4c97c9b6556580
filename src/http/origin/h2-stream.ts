import { type ClientHttp2Stream, constants } from 'node:http2'
import { messageOf } from '#core/errors.ts'
import type { EndReason, Source } from '../exchange.ts'
import type { HttpLimits } from '../plan.ts'
import type { Fields } from '../wire/fields.ts'
import { parseContentLength } from '../wire/framing.ts'
import { Input } from '../wire/input.ts'
import { BodyWriter } from './body-writer.ts'
import { brokenFailure, type OriginFailure, protocolFailure, timeoutFailure } from './failure.ts'
import { http2Head, regularFields, withAccept } from './h2-head.ts'
import type { OriginSession } from './h2-session.ts'
import type { OriginSessions, StreamWaiter } from './h2-sessions.ts'
import {
  CONTINUE_MS,
  LIMIT_INTERIM,
  type LinkOwner,
  type OriginHead,
  type OriginLink,
  type OriginRequest,
  type Receiver,
} from './link.ts'
import { ResponseBody } from './response-body.ts'

type Phase = 'connecting' | 'open' | 'head' | 'content' | 'tunnel' | 'over' | 'closed'

const { NGHTTP2_FLAG_END_STREAM, NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM, NGHTTP2_NO_ERROR } = constants

/** One request to an origin over HTTP/2: a stream of a session that others share (RFC 9113 §5.1). */
export class OriginStream implements OriginLink, StreamWaiter {
  readonly isSingle = true
  readonly openedAt: number
  since: number
  phase: Phase = 'connecting'
  readonly #owner: LinkOwner
  readonly #sessions: OriginSessions
  readonly #scheme: 'http' | 'https'
  readonly #input = new Input()
  #session: OriginSession | undefined
  #stream: ClientHttp2Stream | undefined
  #requestHead = ''
  #isTunnel = false
  #receiver: Receiver | undefined
  #writer: BodyWriter | undefined
  #isHeld = false
  #body: ResponseBody | undefined
  #trailers: Fields | undefined
  #isSilent = true
  #interim = 0

  constructor(sessions: OriginSessions, scheme: 'http' | 'https', owner: LinkOwner) {
    this.#sessions = sessions
    this.#scheme = scheme
    this.#owner = owner
    this.since = this.openedAt = owner.now
  }

  get requests(): number {
    return this.#session?.requests ?? 0
  }

  entered(session: OriginSession): void {
    this.#session = session
    this.phase = 'open'
    this.#owner.opened(this)
  }

  shutOut(failure: OriginFailure): void {
    this.#end(failure)
  }

  send(request: OriginRequest, receiver: Receiver): void {
    this.phase = 'head'
    this.since = this.#owner.now
    this.#receiver = receiver
    this.#requestHead = request.head
    // RFC 9110 §7.8: an origin that takes no tunnels is asked without, and answers that.
    this.#isTunnel = request.asksUpgrade && this.#session!.takesTunnels
    const hasContent = request.body !== null
    try {
      const pairs = http2Head(request.head, this.#scheme, this.#isTunnel)
      const endStream = !hasContent && !this.#isTunnel
      this.#listen(this.#session!.request(pairs, { endStream, waitForTrailers: hasContent }))
    } catch (error) {
      // The session was about to close; its other streams say so by themselves.
      return this.#fail({ ...brokenFailure(String(error)), ...UNPROCESSED })
    }
    if (request.body === null) return
    this.#writer = new BodyWriter(this.#stream!, request.body, 'raw', this)
    this.#sendTrailersOf(request.body)
    if (request.awaitsContinue) this.#isHeld = true
    else this.#writer.start('')
  }

  sendRaw(source: Source): void {
    this.#writer = new BodyWriter(this.#stream!, source, 'raw', this)
    this.#writer.start('')
  }

  destroy(reason: EndReason): void {
    if (this.phase === 'closed') return
    const isConnecting = this.phase === 'connecting'
    this.#stop(reason, 'the stream to the origin was closed')
    const { connectTimeoutMs } = this.#owner.limits
    this.#end(isConnecting ? timeoutFailure('accept a connection', connectTimeoutMs) : undefined)
  }

  close(failure: OriginFailure): void {
    if (this.phase === 'head') this.#fail(failure)
    else this.destroy(failure.reason)
  }

  /** A stream that has begun to answer may be silent: the session finds out whether the origin is still there. */
  sweep(limits: HttpLimits): void {
    const waitedMs = this.#owner.now - this.since - this.#owner.tickMs
    if (this.phase === 'connecting') {
      if (waitedMs > limits.connectTimeoutMs) this.destroy('origin timed out')
    } else if (this.phase === 'head') {
      if (this.#isHeld && waitedMs > CONTINUE_MS) this.#continue()
      else if (this.#writer?.waitsForOctets) this.since = this.#owner.now
      else if (waitedMs > limits.answerTimeoutMs) this.#fail(timeoutFailure('answer', limits.answerTimeoutMs))
    } else if (this.phase === 'over' && waitedMs > limits.answerTimeoutMs) this.destroy('finished')
  }

  /** @internal the origin takes octets of the request (`BodyWatcher`) */
  progressed(): void {
    this.since = this.#owner.now
  }

  /** @internal the client's body broke off: the origin must not take it as whole */
  broke(): void {
    if (this.phase === 'head')
      this.#fail({ ...brokenFailure('the request broke off'), reason: 'client left' })
    else this.destroy('client left')
  }

  /** @internal the reader of the content wants more than has come (`BodyConnection`) */
  wantOctets(): void {
    this.since = this.#owner.now
    this.#stream?.resume()
  }

  /** @internal The origin may be about to say that this was all. */
  contentRead(): void {
    this.#body = undefined
    if (this.phase !== 'content') return
    if (this.#writer !== undefined && !this.#writer.isOver) return this.destroy('finished')
    this.phase = 'over'
    this.since = this.#owner.now
    this.#stream?.resume()
  }

  #listen(stream: ClientHttp2Stream): void {
    this.#stream = stream
    stream.on('headers', (headers, _flags, pairs: unknown) => {
      this.#inform(Number(headers[':status']), pairs as string[])
    })
    stream.on('response', (headers, flags, pairs: unknown) => {
      this.#answer(Number(headers[':status']), pairs as string[], (flags & NGHTTP2_FLAG_END_STREAM) !== 0)
    })
    stream.on('trailers', (_headers, _flags, pairs: unknown) => {
      this.#trailers = this.#readFields(pairs as string[])
    })
    // The code of the reset says more than the error does.
    stream.on('error', () => {})
    stream.on('close', () => this.#closed(stream.rstCode ?? NGHTTP2_NO_ERROR))
  }

  #sendTrailersOf(body: Source): void {
    const stream = this.#stream!
    stream.once('wantTrailers', () => {
      const trailers: Record<string, string[]> = {}
      body.trailers?.()?.each((name, value) => {
        ;(trailers[name.toLowerCase()] ??= []).push(value)
      })
      try {
        stream.sendTrailers(trailers)
      } catch (error) {
        this.close({ ...brokenFailure(String(error)), reason: 'portico failed' })
      }
    })
  }

  #inform(status: number, pairs: readonly string[]): void {
    if (this.phase !== 'head') return
    this.since = this.#owner.now
    if (++this.#interim > LIMIT_INTERIM) return this.#fail(protocolFailure('too many interim responses'))
    if (status === 100) return this.#continue()
    const head = this.#readHead(status, pairs)
    if (head !== undefined) this.#receiver?.informed(head)
  }

  /** The origin wants the content, or has not said within a second that it does not. */
  #continue(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#writer?.start('')
  }

  #answer(status: number, pairs: readonly string[], isLast: boolean): void {
    if (this.phase !== 'head') return
    this.#isSilent = false
    const head = this.#readHead(status, pairs)
    if (head === undefined) return
    const receiver = this.#receiver!
    if (this.#isTunnel && status < 300) return this.#switch(head)
    // An origin that refuses need not get the rest; one that accepts may answer while it reads.
    if (this.#isHeld || status >= 400) this.#writer?.stop()
    this.#isHeld = false
    this.phase = 'content'
    if (isLast) {
      this.#stream!.resume()
      this.contentRead()
      receiver.answered(head, null)
    } else {
      this.#receive(head.statedOctets ?? 'until close')
      receiver.answered(head, this.#body!)
    }
  }

  /** RFC 8441 §5: 2xx is what 101 is in HTTP/1.1. */
  #switch({ fields }: OriginHead): void {
    this.phase = 'tunnel'
    this.#receive('until close')
    this.#receiver!.switched(withAccept(fields, this.#requestHead), this.#body!)
  }

  #receive(length: number | 'until close'): void {
    const body = new ResponseBody(this, this.#input, length, this.#owner.limits)
    this.#body = body
    const stream = this.#stream!
    stream.on('data', (octets: Buffer) => {
      this.since = this.#owner.now
      if (this.#body === undefined) return
      this.#input.append(octets)
      body.arrived()
      if (!body.isWanted) stream.pause()
    })
    stream.on('end', () => {
      if ((stream.rstCode ?? NGHTTP2_NO_ERROR) === NGHTTP2_NO_ERROR) body.ended(this.#trailers)
    })
    stream.pause()
  }

  #readHead(status: number, pairs: readonly string[]): OriginHead | undefined {
    const fields = this.#readFields(pairs)
    if (fields === undefined) return undefined
    const stated = parseContentLength(fields)
    const statedOctets = typeof stated === 'number' ? stated : null
    return { status, version: '2', fields, statedOctets, passedOn: undefined }
  }

  #readFields(pairs: readonly string[]): Fields | undefined {
    try {
      return regularFields(pairs)
    } catch (error) {
      const detail = messageOf(error)
      if (this.phase === 'head') this.#fail(protocolFailure(detail))
      else this.destroy('origin broke the protocol')
      return undefined
    }
  }

  #closed(code: number): void {
    if (this.phase === 'closed') return
    const brokenBy = this.#session?.brokenBy
    const detail = brokenBy ?? `the origin ended the stream with ${CODES[code] ?? `code ${code}`}`
    if (this.phase === 'head') {
      const failure = brokenFailure(detail)
      return this.#fail(code === NGHTTP2_REFUSED_STREAM ? { ...failure, ...UNPROCESSED } : failure)
    }
    const isCancelled = code === NGHTTP2_CANCEL && brokenBy === undefined
    // A stream that was reset ends for who reads it as one that is complete.
    if (code !== NGHTTP2_NO_ERROR || !this.#stream!.readableEnded) {
      this.#body?.broke(isCancelled ? 'origin cancelled' : 'origin broke off', detail)
    }
    this.#end(undefined)
  }

  #fail(failure: OriginFailure): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#stop(failure.reason, failure.detail)
    this.#end(undefined)
    receiver?.failed(failure, this.#isSilent)
  }

  /** RFC 9113 §8.1: what is not wanted any more is cancelled. */
  #stop(reason: EndReason, detail: string): void {
    this.#writer?.stop()
    this.#stream?.close(NGHTTP2_CANCEL)
    this.#body?.broke(reason, detail)
    this.#body = undefined
  }

  #end(failure: OriginFailure | undefined): void {
    if (this.phase === 'closed') return
    this.phase = 'closed'
    this.#writer?.stop()
    if (this.#session === undefined) this.#sessions.leave(this)
    else this.#session.leaveStream()
    this.#owner.closed(this, failure)
  }
}

/** RFC 9113 §8.7: REFUSED_STREAM, also of streams behind the last one that GOAWAY names, says that nothing was done. */
const UNPROCESSED = { say: 'The origin refused the request', isUnprocessed: true } as const

/** RFC 9113 §7 */
const CODES: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
]
