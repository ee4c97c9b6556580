import { isSource } from '#http/source.ts'
import {
  type EndListener,
  type EndReason,
  type Exchange,
  type ExchangeNote,
  type Request,
  type ResponseHead,
  SMALL_OCTETS,
  type Source,
} from '../exchange.ts'
import { BrokenBody } from '../origin/failure.ts'
import { type Transfer, transferOf } from '../transfer.ts'
import { type Fields, fieldsOf, NameSet, noFields } from '../wire/fields.ts'
import { hasContent } from '../wire/framing.ts'
import { createNote } from '../wire/note.ts'
import { type Page, respondPage } from '../wire/page.ts'
import type { FrameOutput } from './frame-output.ts'
import type { Scheduled } from './scheduler.ts'
import type { StreamBody } from './stream-body.ts'
import { DATA, END_STREAM, HEAD_OCTETS, writeFrameHead } from './wire/frame.ts'

/** What a stream asks of its connection. */
export type StreamHost = {
  readonly output: FrameOutput
  /** octets that the client takes on the whole connection (RFC 9113 §6.9.1) */
  sendWindow: number
  /** Write HEADERS. @param lengthOctets for Content-Length; null: none is said */
  writeHead(stream: Stream, head: ResponseHead, lengthOctets: number | null, isLast: boolean): void
  /** Write HEADERS that end the stream (RFC 9113 §8.1). */
  writeTrailers(stream: Stream, trailers: Fields): void
  /** The stream has something to send. */
  wantTurn(stream: Stream): void
  /** End the stream without a complete response. */
  abort(stream: Stream, reason: EndReason): void
  /** An interim response (RFC 9110 §15.2). */
  inform(stream: Stream, status: number, fields: Fields): void
}

/** What came of a stream's turn to send. */
export type Turn =
  | 'more'
  | 'waits for its source'
  | 'waits for its window'
  | 'waits for the connection window'
  | 'over'

/** One request on an HTTP/2 connection and its response. */
export class Stream implements Exchange, Scheduled<Stream> {
  readonly id: number
  readonly request: Request
  /** what the client sends; of a tunnel too, whose request has no content */
  readonly body: StreamBody | null
  onEnd: EndListener | undefined = undefined
  note: ExchangeNote = createNote()
  /** the status sent, 0 before */
  status = 0
  urgency = 3
  isIncremental = true
  isQueued = false
  after: Stream | undefined = undefined
  /** octets that the client takes on this stream (RFC 9113 §6.9.1) */
  sendWindow: number
  /** the client waits for 100 before it sends the content (RFC 9110 §10.1.1) */
  awaitsContinue = false
  /** while the client's window is shut: since when, in milliseconds of the clock; else Infinity */
  blockedSinceMs: number = Infinity
  isTunnel = false
  /** answered in the handler's place */
  isRefused = false
  /** the last octet was handed to the output */
  isSent = false
  /** why it ends when all was sent */
  endReason: EndReason = 'finished'
  readonly #host: StreamHost
  #hasEnded = false
  #head: ResponseHead | undefined
  #lengthOctets: number | null = null
  #isBare = false
  #source: Source | undefined
  /** octets from the source, or all of them, and how many were sent */
  #piece: Uint8Array = NONE
  #at = 0
  /** octets that the source still owes under a known length, else Infinity */
  #owedOctets = 0
  #isAtEnd = false
  #isReading = false
  #sentOctets = 0
  #sinceBlocked = 0

  constructor(host: StreamHost, id: number, request: Request, body: StreamBody | null, sendWindow: number) {
    this.#host = host
    this.id = id
    this.request = request
    this.body = body
    this.sendWindow = sendWindow
  }

  /** Answer in the handler's place: what it does from now on counts for nothing. */
  refuse(page: Page, reason: EndReason): void {
    respondPage(this, page)
    this.isRefused = true
    this.endReason = reason
  }

  respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    if (this.#mayNotAnswer()) {
      if (isSource(body)) body.cancel('client left')
      return
    }
    if (this.request.upgrade !== undefined && head.status < 300) {
      if (isSource(body)) body.cancel('finished')
      this.#refuseTunnel()
      return
    }
    this.status = head.status
    this.note.answeredAt ||= performance.now()
    this.#head = head
    this.#isBare =
      body === null || head.status === 205 || !hasContent(this.request.method, head.status) || isEmpty(body)
    this.#lengthOctets = this.#lengthOf(head, body)
    if (this.#isBare) {
      if (isSource(body)) body.cancel('finished')
    } else if (body instanceof Uint8Array) {
      // Sent at the end of the turn, when small content may be gone.
      this.#piece = body.length <= SMALL_OCTETS ? Buffer.from(body) : body
    } else {
      this.#source = body!
      this.#owedOctets = this.#lengthOctets ?? Infinity
    }
    this.#host.wantTurn(this)
  }

  inform(status: number, fields: Fields): void {
    if (this.#hasEnded || this.status !== 0) return
    if (status !== 100) this.#host.inform(this, status, fields)
    else this.sendContinue()
  }

  /** RFC 8441 §5: the answer is 200, and DATA carries the octets both ways. */
  switchProtocols(fields: Fields, toClient: Source): Source {
    const body = this.body!
    if (this.#mayNotAnswer()) {
      toClient.cancel('client left')
    } else {
      this.status = 200
      this.note.answeredAt ||= performance.now()
      this.isTunnel = true
      this.#head = { status: 200, fields: withoutHandshake(fields), lengthOctets: null }
      this.#source = toClient
      this.#owedOctets = Infinity
      this.#host.wantTurn(this)
    }
    const cancel = (reason: EndReason): void => {
      const isCut = !body.isComplete
      body.cancel(reason)
      if (isCut) this.abort(reason)
    }
    return { read: (limitOctets) => body.read(limitOctets), cancel }
  }

  abort(reason: EndReason): void {
    if (!this.#hasEnded && !this.isRefused) this.#host.abort(this, reason)
  }

  /** Tell a client that waits for it to send the content (RFC 9110 §10.1.1). */
  sendContinue(): void {
    if (!this.awaitsContinue || this.status !== 0) return
    this.awaitsContinue = false
    this.#host.inform(this, 100, noFields)
  }

  /** Write the head, or a frame of content, as far as windows allow. */
  turn(): Turn {
    if (this.#head !== undefined) {
      const head = this.#head
      this.#head = undefined
      this.#host.writeHead(this, head, this.#lengthOctets, this.#isBare)
      if (this.#isBare) return 'over'
    }
    if (!this.#isReady()) return 'waits for its source'
    return this.#isAtEnd ? this.#writeEnd() : this.#writeData()
  }

  /** The last word about this stream, said once. @returns octets of content sent */
  end(reason: EndReason): number {
    this.#hasEnded = true
    this.#piece = NONE
    const source = this.#source
    this.#source = undefined
    if (!this.#isAtEnd) source?.cancel(reason)
    this.body?.cancel(reason)
    const receivedOctets = this.body?.receivedOctets ?? 0
    const sentOctets = this.#sentOctets
    this.onEnd?.({ reason, status: this.status, sentOctets, receivedOctets, isAtOnce: false }, this)
    return this.#sentOctets
  }

  /**
   * How the response is getting on; undefined while there is none, and for a tunnel.
   *
   * @param silentMs how long the connection's socket has taken nothing
   */
  transfer(nowMs: number, silentMs: number): Transfer | undefined {
    if (this.status === 0 || this.isTunnel) return undefined
    const { length } = this.#piece
    const owed = this.#owedOctets + (length - this.#at)
    const blockedMs = this.blockedSinceMs === Infinity ? 0 : nowMs - this.blockedSinceMs
    return transferOf(this.request, this.note, {
      stream: this.id,
      status: this.status,
      lengthOctets: owed === Infinity ? null : this.#sentOctets + owed,
      sentOctets: this.#sentOctets,
      aheadOctets: length - this.#at + (this.#source?.aheadOctets?.() ?? 0),
      pausedMs: Math.max(blockedMs, silentMs),
    })
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  #mayNotAnswer(): boolean {
    if (this.#hasEnded || this.isRefused) return true
    if (this.status !== 0) throw new Error('An exchange is answered once')
    return false
  }

  /** 2xx would open the tunnel (RFC 8441 §5), whatever the handler meant by it. */
  #refuseTunnel(): void {
    const detail = 'This address does not speak WebSocket.'
    respondPage(this, { status: 501, detail, fault: 'client' })
  }

  /** What Content-Length says: the length of what GET would send (RFC 9110 §8.6). */
  #lengthOf(head: ResponseHead, body: Source | Uint8Array | null): number | null {
    if (head.status === 205) return 0
    if (!hasContent('GET', head.status)) return null
    if (body instanceof Uint8Array) return body.length
    return body === null && this.request.method !== 'HEAD' ? 0 : head.lengthOctets
  }

  /** Whether there is content to send, or its end; else the source will say when there is. */
  #isReady(): boolean {
    if (this.#isReading) return false
    while (this.#at === this.#piece.length && !this.#isAtEnd) {
      if (this.#source === undefined) {
        this.#isAtEnd = true
      } else if (this.#owedOctets === 0) {
        this.#isAtEnd = true
        this.#source.cancel('finished')
      } else {
        const octets = this.#source.read(Math.min(READ_OCTETS, this.#owedOctets))
        if (octets instanceof Promise) {
          this.#wait(octets)
          return false
        }
        this.#take(octets)
      }
    }
    return !this.#hasEnded
  }

  #wait(octets: Promise<Uint8Array | null>): void {
    this.#isReading = true
    octets.then(
      (arrived) => {
        if (this.#hasEnded) return
        this.#isReading = false
        this.#take(arrived)
        if (!this.#hasEnded) this.#host.wantTurn(this)
      },
      (error: unknown) => this.abort(error instanceof BrokenBody ? error.reason : 'origin broke off'),
    )
  }

  #take(octets: Uint8Array | null): void {
    this.#piece = octets ?? NONE
    this.#at = 0
    if (octets !== null) {
      this.#owedOctets -= octets.length
      if (this.#owedOctets < 0) this.abort('portico failed')
    } else {
      this.#isAtEnd = true
      if (this.#owedOctets !== Infinity) this.abort('origin broke off')
    }
  }

  #writeData(): Turn {
    const { output } = this.#host
    const left = this.#piece.length - this.#at
    const count = Math.min(left, FRAME_OCTETS, this.sendWindow, this.#host.sendWindow)
    if (count <= 0) return this.sendWindow <= 0 ? 'waits for its window' : 'waits for the connection window'
    output.reserve(HEAD_OCTETS + count)
    const { octets, end } = output
    // Whatever is written while the source is read comes behind this frame.
    output.end = end + HEAD_OCTETS + count
    const isWhole = this.#at === 0 && left === count
    octets.set(isWhole ? this.#piece : this.#piece.subarray(this.#at, this.#at + count), end + HEAD_OCTETS)
    this.#at += count
    this.sendWindow -= count
    this.#host.sendWindow -= count
    this.#noteSent(count)
    const isReady = this.#isReady()
    const isLast = isReady && this.#isAtEnd && !this.#hasTrailers()
    writeFrameHead(octets, end, count, DATA, isLast ? END_STREAM : 0, this.id)
    if (isLast) return 'over'
    return isReady ? 'more' : 'waits for its source'
  }

  /** A window that opens by an octet now and then is no progress. */
  #noteSent(count: number): void {
    this.#sentOctets += count
    this.#sinceBlocked += count
    if (this.blockedSinceMs === Infinity || this.#sinceBlocked < PROGRESS_OCTETS) return
    this.blockedSinceMs = Infinity
    this.#sinceBlocked = 0
  }

  /** The client's window is shut. */
  noteBlocked(nowMs: number): void {
    if (this.blockedSinceMs !== Infinity) return
    this.blockedSinceMs = nowMs
    this.#sinceBlocked = 0
  }

  #hasTrailers(): boolean {
    return (this.#source?.trailers?.()?.size ?? 0) > 0
  }

  #writeEnd(): Turn {
    const trailers = this.#source?.trailers?.()
    if (trailers !== undefined && trailers.size > 0) {
      this.#host.writeTrailers(this, trailers)
    } else {
      const { output } = this.#host
      output.reserve(HEAD_OCTETS)
      output.end = writeFrameHead(output.octets, output.end, 0, DATA, END_STREAM, this.id)
    }
    return 'over'
  }
}

const NONE = new Uint8Array(0)
/** with its head one TLS record; less than every peer takes (RFC 9113 §4.2), so that streams take short turns */
const FRAME_OCTETS = 16_375
const READ_OCTETS = 65_536
const PROGRESS_OCTETS = 1024

function isEmpty(body: Source | Uint8Array | null): boolean {
  return body instanceof Uint8Array && body.length === 0
}

/** What only HTTP/1.1 needs of the handshake stays behind (RFC 8441 §5.1). */
function withoutHandshake(fields: Fields): Fields {
  const kept: [string, string][] = []
  fields.each((name, value) => {
    if (!HANDSHAKE.has(name, 0, name.length)) kept.push([name, value])
  })
  return fieldsOf(kept)
}

const HANDSHAKE = new NameSet(['sec-websocket-accept'])
