import type { Socket } from 'node:net'
import { type EndReason, SMALL_OCTETS, type Source } from '../exchange.ts'
import type { HttpLimits } from '../plan.ts'
import type { OriginPlan } from '../service-plan.ts'
import { flushAtEndOfTurn } from '../turn.ts'
import { Input } from '../wire/input.ts'
import { isRefusal } from '../wire/refusal.ts'
import { BodyWriter } from './body-writer.ts'
import {
  brokenFailure,
  connectFailure,
  type OriginFailure,
  protocolFailure,
  timeoutFailure,
} from './failure.ts'
import {
  CONTINUE_MS,
  LIMIT_INTERIM,
  type LinkOwner,
  type OriginLink,
  type OriginRequest,
  type Receiver,
} from './link.ts'
import { openSocket } from './open-socket.ts'
import {
  dropReadBuffer,
  enlargeReadBuffer,
  returnReadBuffer,
  sharedReadBuffer,
  takeReadBuffer,
} from './read-buffer.ts'
import { ResponseBody } from './response-body.ts'
import { type FramedHead, ResponseReader } from './response-reader.ts'

type Phase = 'connecting' | 'idle' | 'head' | 'content' | 'tunnel' | 'closed'

const LARGE_READ_OCTETS = 16_384
const QUICK_OCTETS = 16_777_216
/** 16 MiB a second */
const QUICK_OCTETS_PER_MS = 16_777

/** One connection to an origin: a request at a time (RFC 9112 §9.3). */
export class OriginConnection implements OriginLink {
  readonly isSingle = false
  phase: Phase = 'connecting'
  /** the coarse time at which the present wait began */
  since: number
  /** how many requests were sent */
  requests = 0
  readonly openedAt: number
  readonly #owner: LinkOwner
  readonly #socket: Socket
  readonly #input = new Input()
  readonly #reader = new ResponseReader()
  #ownBuffer: Buffer | undefined
  #receiver: Receiver | undefined
  #request: OriginRequest | undefined
  #writer: BodyWriter | undefined
  #isHeld = false
  #body: ResponseBody | undefined
  /** what was read of it, and since when */
  #bodyOctets = 0
  #answeredAt = 0
  #lastRead = 0
  #isPersistent = true
  /** the head of the request is on its way, not only to be sent at the end of the turn */
  #isSent = false
  #isSilent = true
  #interim = 0
  #error: Error | undefined

  constructor(plan: OriginPlan, port: number, owner: LinkOwner) {
    this.#owner = owner
    this.since = this.openedAt = owner.now
    this.#socket = openSocket(plan, {
      port,
      session: owner.session,
      secure: owner.secure,
      onread: {
        buffer: () => this.#nextBuffer(),
        callback: (count, buffer) => this.#arrived(buffer as Buffer, count),
      },
    })
    this.#listen(plan.scheme === 'https')
  }

  #listen(isSecure: boolean): void {
    const socket = this.#socket
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      this.phase = 'idle'
      this.since = this.#owner.now
      this.#owner.opened(this)
    })
    if (isSecure) socket.on('session', (session: Buffer) => (this.#owner.session = session))
    socket.on('end', () => this.#ended())
    socket.on('error', (error) => (this.#error ??= error))
    socket.on('close', () => this.#closed())
  }

  /** Send a request; only while idle. */
  send(request: OriginRequest, receiver: Receiver): void {
    this.phase = 'head'
    this.since = this.#owner.now
    this.requests++
    this.#request = request
    this.#receiver = receiver
    this.#isSilent = true
    this.#interim = 0
    this.#isSent = request.body !== null
    if (request.body === null) {
      this.#writer = undefined
      flushAtEndOfTurn(this)
      return
    }
    this.#writer = new BodyWriter(this.#socket, request.body, request.isChunked ? 'chunked' : 'length', this)
    if (request.awaitsContinue) {
      this.#isHeld = true
      this.#socket.write(request.head, 'latin1')
    } else this.#writer.start(request.head)
  }

  /** @internal send the head of a request without content */
  flush(): void {
    if (this.phase !== 'head') return
    this.#isSent = true
    this.#socket.write(this.#request!.head, 'latin1')
  }

  /** After `switched`: send what `source` gives, and close our side at its end. */
  sendRaw(source: Source): void {
    this.#writer = new BodyWriter(this.#socket, source, 'raw', this)
    this.#writer.start('')
  }

  /** Close now; a body that is being read breaks off with `reason`. */
  destroy(reason: EndReason): void {
    if (this.phase === 'closed') return
    const { phase } = this
    this.phase = 'closed'
    this.#writer?.stop()
    this.#socket.destroy()
    if (this.#ownBuffer !== undefined) dropReadBuffer(this.#ownBuffer)
    this.#ownBuffer = undefined
    this.#body?.broke(reason, 'the connection to the origin was closed')
    this.#owner.closed(this, phase === 'connecting' ? this.#connectFailure() : undefined)
  }

  /** Close now; who waits for an answer gets `failure` instead. */
  close(failure: OriginFailure): void {
    if (this.phase === 'head') this.#fail(failure)
    else this.destroy(failure.reason)
  }

  /** Fail what takes too long. */
  sweep(limits: HttpLimits): void {
    // The clock may have stood for a tick when the wait began: better late than early.
    const waitedMs = this.#owner.now - this.since - this.#owner.tickMs
    if (this.phase === 'connecting') {
      if (waitedMs > limits.connectTimeoutMs) this.destroy('origin timed out')
    } else if (this.phase === 'head') {
      if (this.#isHeld && waitedMs > CONTINUE_MS) this.#continue()
      else if (this.#writer?.waitsForOctets) this.since = this.#owner.now
      else if (waitedMs > limits.answerTimeoutMs) this.#fail(timeoutFailure('answer', limits.answerTimeoutMs))
    } else if (this.phase === 'content' && this.#body?.isWanted) {
      if (waitedMs > limits.answerTimeoutMs) this.destroy('origin timed out')
    }
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
    this.#socket.resume()
  }

  /** @internal */
  contentRead(): void {
    this.#body = undefined
    if (this.phase === 'tunnel') return
    const isReusable =
      this.#isPersistent && this.#input.length === 0 && (this.#writer === undefined || this.#writer.isOver)
    if (!isReusable || this.phase === 'closed') return this.destroy('finished')
    this.#receiver = undefined
    this.#request = undefined
    this.#writer = undefined
    this.phase = 'idle'
    this.since = this.#owner.now
    this.#socket.resume()
    this.#owner.released(this)
  }

  /**
   * The buffer for the next read, asked for after each one.
   *
   * A stream of small pieces, such as events or a WebSocket, is copied from the shared buffer: thousands of them may
   * be silent at a time.
   */
  #nextBuffer(): Buffer {
    if (this.#body === undefined && this.#ownBuffer !== undefined) {
      returnReadBuffer(this.#ownBuffer)
      this.#ownBuffer = undefined
    } else if (this.phase !== 'closed' && this.#body !== undefined && this.#lastRead >= LARGE_READ_OCTETS) {
      this.#ownBuffer ??= takeReadBuffer()
      if (this.#isQuick()) this.#ownBuffer = enlargeReadBuffer(this.#ownBuffer)
    }
    return this.#ownBuffer ?? sharedReadBuffer
  }

  /** Whether the response goes fast, and further than sockets on the way take of it for a client who has paused. */
  #isQuick(): boolean {
    const tookMs = this.#owner.now - this.#answeredAt
    return this.#bodyOctets >= QUICK_OCTETS && this.#bodyOctets >= tookMs * QUICK_OCTETS_PER_MS
  }

  /** @returns whether to go on reading */
  #arrived(buffer: Buffer, count: number): boolean {
    this.since = this.#owner.now
    this.#lastRead = count
    if (this.phase === 'head' && !this.#isSent) {
      // This was meant for nobody: as with a connection that was found closed, the request has not gone out.
      this.#fail(brokenFailure('octets came before the request was sent'))
      return false
    }
    this.#isSilent = false
    if (this.#body !== undefined) {
      this.#bodyOctets += count
      const isShared = buffer === sharedReadBuffer
      this.#input.append(isShared ? Buffer.from(buffer.subarray(0, count)) : buffer, count)
      this.#body.arrived()
    } else if (this.phase === 'head') {
      this.#input.append(buffer, count)
      this.#readHeads()
    } else {
      // Nothing was asked for: what comes now would be taken for the answer to the next request.
      this.destroy('origin broke the protocol')
    }
    return this.#body === undefined || this.#body.isWanted
  }

  #readHeads(): void {
    while (this.phase === 'head') {
      const head = this.#reader.read(this.#input, this.#owner.limits, this.#request!.method)
      if (head === undefined) return this.#keepInput()
      if (isRefusal(head)) return this.#fail(protocolFailure(head.reason))
      if (head.status >= 200) this.#answer(head)
      else if (head.status === 101) this.#switch(head)
      else if (++this.#interim > LIMIT_INTERIM) this.#fail(protocolFailure('too many interim responses'))
      else if (head.status === 100) this.#continue()
      else this.#receiver?.informed(head)
    }
  }

  /** Small content is copied by who gets it, before anything else is read. */
  #takeWhole(count: number): Buffer {
    return count <= SMALL_OCTETS ? this.#input.take(count) : this.#takeCopy(count)
  }

  #takeCopy(count: number): Buffer {
    const copy = Buffer.allocUnsafe(count)
    this.#input.octets.copy(copy, 0, this.#input.start, this.#input.start + count)
    this.#input.use(count)
    return copy
  }

  /** Move what is left of the input out of the memory that all sockets read into. */
  #keepInput(): void {
    this.#input.leave(sharedReadBuffer)
  }

  /** The origin wants the content, or has not said within a second that it does not. */
  #continue(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#writer?.start('')
  }

  #answer(head: FramedHead): void {
    const receiver = this.#receiver!
    const { length } = head
    this.phase = 'content'
    this.#isPersistent = head.isPersistent
    // An origin that refuses need not get the rest; one that accepts may answer while it reads.
    if (this.#isHeld || head.status >= 400) this.#writer?.stop()
    this.#isHeld = false
    if (typeof length === 'number' && this.#input.length >= length) {
      // The connection is free for others before the client has its octets.
      const content = length === 0 ? null : this.#takeWhole(length)
      this.contentRead()
      receiver.answered(head, content)
    } else {
      this.#keepInput()
      this.#body = new ResponseBody(this, this.#input, length, this.#owner.limits)
      this.#bodyOctets = 0
      this.#answeredAt = this.#owner.now
      receiver.answered(head, this.#body)
    }
  }

  #switch(head: FramedHead): void {
    if (!this.#request!.asksUpgrade) return this.#fail(protocolFailure('101 was not asked for'))
    this.phase = 'tunnel'
    this.#isPersistent = false
    this.#keepInput()
    this.#body = new ResponseBody(this, this.#input, 'until close', this.#owner.limits)
    this.#receiver!.switched(head.fields, this.#body)
  }

  #ended(): void {
    if (this.phase === 'head') return this.#fail(brokenFailure('the connection ended before the response'))
    if (this.#body !== undefined) this.#body.ended()
    else if (this.phase !== 'tunnel') this.destroy('origin broke off')
  }

  #closed(): void {
    if (this.phase === 'head') this.#fail(brokenFailure(this.#error?.message ?? 'the connection was closed'))
    else this.destroy('origin broke off')
  }

  #fail(failure: OriginFailure): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.destroy(failure.reason)
    receiver?.failed(failure, this.#isSilent)
  }

  #connectFailure(): OriginFailure {
    if (this.#error !== undefined) return connectFailure(this.#error)
    return timeoutFailure('accept a connection', this.#owner.limits.connectTimeoutMs)
  }
}
