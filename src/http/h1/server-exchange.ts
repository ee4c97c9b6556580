import type { ClientConnection } from '#http/client-connection.ts'
import type {
  EndListener,
  EndReason,
  Exchange,
  ExchangeNote,
  FileSpan,
  Request,
  ResponseHead,
  Source,
} from '#http/exchange.ts'
import { COPY_OCTETS } from '#http/output.ts'
import { isSource, Pump, type PumpTarget } from '#http/source.ts'
import { type Transfer, transferOf } from '#http/transfer.ts'
import { type Fields, NameSet, serializeFields, type WrittenHead } from '#http/wire/fields.ts'
import { hasContent } from '#http/wire/framing.ts'
import { hasToken } from '#http/wire/list.ts'
import { createNote } from '#http/wire/note.ts'
import { sourceOf } from '#http/wire/octets-source.ts'
import { statusLine } from '#http/wire/status.ts'
import type { RequestBody } from './request-body.ts'
import { Tunnel } from './tunnel.ts'

/** One request on an HTTP/1.1 connection and its response. */
export class ServerExchange implements Exchange, PumpTarget {
  readonly request: Request
  readonly body: RequestBody | null
  onEnd: EndListener | undefined = undefined
  note: ExchangeNote = createNote()
  /** the status sent, 0 before */
  status = 0
  readonly #connection: ClientConnection
  #hasEnded = false
  #isSent = false
  #isResponding = false
  #framing: 'length' | 'chunked' | 'until close' = 'length'
  /** octets still owed under a known length */
  #owedOctets = 0
  /** the head, until it goes out together with the first octets */
  #text = ''
  #sentOctets = 0
  #source: Source | undefined
  #pump: Pump | undefined
  #tunnel: Tunnel | undefined

  constructor(connection: ClientConnection, request: Request, body: RequestBody | null) {
    this.#connection = connection
    this.request = request
    this.body = body
  }

  respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    if (this.#mayNotAnswer()) {
      if (isSource(body)) body.cancel('client left')
      return
    }
    this.status = head.status
    this.note.answeredAt ||= performance.now()
    const { output } = this.#connection
    const isBare = body === null || head.status === 205 || !hasContent(this.request.method, head.status)
    const lengthOctets = this.#lengthOf(head, body)
    const isSmall = body instanceof Uint8Array && body.length < COPY_OCTETS
    const written = isBare ? undefined : this.#writtenBefore(head, lengthOctets)
    if (written === undefined) this.#frame(head, isBare, lengthOctets)
    else this.#text = written.text
    if (isBare) {
      if (isSource(body)) body.cancel('finished')
      output.send(this.#text)
      this.#finish()
    } else if (isSmall) {
      this.#sentOctets = body.length
      output.send(written?.octets ?? this.#text, body)
      this.#isResponding = true
      this.#finish()
      this.#isResponding = false
    } else {
      this.#owedOctets = lengthOctets ?? 0
      this.#source = body instanceof Uint8Array ? sourceOf(body) : body
      this.#pump = new Pump(this.#source, this, this.#owedOctets)
      this.#pump.run()
    }
  }

  inform(status: number, fields: Fields): void {
    // RFC 9110 §15.2: a client of HTTP/1.0 does not know interim responses.
    if (this.#hasEnded || this.status !== 0 || this.request.version === '1.0') return
    if (status === 100) this.#connection.sendContinue()
    else
      this.#connection.output.send(`${statusLine(status)}${serializeFields(fields, CONNECTION_FIELDS)}\r\n`)
  }

  switchProtocols(fields: Fields, toClient: Source): Source {
    this.#tunnel = new Tunnel(this.#connection, toClient)
    if (this.#mayNotAnswer()) {
      this.#tunnel.end('client left')
      return this.#tunnel
    }
    this.status = 101
    this.note.answeredAt ||= performance.now()
    const lines = serializeFields(fields, CONNECTION_FIELDS)
    const upgrade = fields.get('upgrade') ?? this.request.upgrade ?? ''
    this.#connection.output.send(
      `${statusLine(101)}Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n${lines}\r\n`,
    )
    this.#connection.becomeTunnel(this.#tunnel)
    return this.#tunnel
  }

  abort(reason: EndReason): void {
    if (!this.#hasEnded) this.#connection.destroy(reason)
  }

  /** The output can take more again. */
  resume(): void {
    if (this.#isSent) this.#connection.finishExchange(this)
    this.#pump?.run()
    this.#tunnel?.resume()
  }

  /**
   * The last word about this exchange, said once.
   *
   * @returns octets of content sent
   */
  end(reason: EndReason): number {
    this.#hasEnded = true
    this.#pump?.stop(reason)
    this.#tunnel?.end(reason)
    this.body?.cancel(reason)
    const sentOctets = this.#tunnel?.sentOctets ?? this.#sentOctets
    const receivedOctets = this.#tunnel?.receivedOctets ?? this.body?.receivedOctets ?? 0
    const isAtOnce = this.#isResponding
    this.onEnd?.({ reason, status: this.status, sentOctets, receivedOctets, isAtOnce }, this)
    return sentOctets
  }

  /** How the response is getting on; undefined while there is none, and for a tunnel. */
  transfer(nowMs: number): Transfer | undefined {
    if (this.status === 0 || this.#tunnel !== undefined) return undefined
    const { taking } = this.#connection.output
    const { unsentOctets } = taking
    return transferOf(this.request, this.note, {
      stream: 0,
      status: this.status,
      lengthOctets: this.#framing === 'length' ? this.#sentOctets + this.#owedOctets : null,
      sentOctets: Math.max(0, this.#sentOctets - unsentOctets),
      aheadOctets: unsentOctets + (this.#source?.aheadOctets?.() ?? 0),
      pausedMs: taking.silentMs(nowMs),
    })
  }

  isBlocked(): boolean {
    return this.#connection.output.isBlocked
  }

  takeOctets(octets: Uint8Array): void {
    // An empty chunk would be the last one.
    if (octets.length === 0) return
    this.#sentOctets += octets.length
    if (this.#framing === 'length') {
      this.#owedOctets -= octets.length
      if (this.#owedOctets < 0) {
        this.abort('portico failed')
        return
      }
    }
    const text = this.#text
    this.#text = ''
    if (this.#framing === 'chunked') {
      this.#connection.output.send(`${text}${octets.length.toString(16)}\r\n`, octets, '\r\n')
    } else {
      this.#connection.output.send(text, octets)
    }
    this.#connection.noteProgress()
  }

  takeSpan(span: FileSpan): number {
    if (this.#framing !== 'length' || span.lengthOctets > this.#owedOctets) return 0
    const isLast = span.lengthOctets === this.#owedOctets
    const sentOctets = this.#connection.output.sendSpan(this.#text, span, isLast)
    if (sentOctets === null) return 0
    this.#text = ''
    this.#sentOctets += sentOctets
    this.#owedOctets -= sentOctets
    this.#connection.noteProgress()
    return sentOctets
  }

  takePause(): void {
    this.#connection.output.uncork()
    if (this.#text === '') return
    this.#connection.output.send(this.#text)
    this.#text = ''
  }

  takeEnd(): void {
    if (this.#hasEnded) return
    if (this.#framing === 'length' && this.#owedOctets > 0) {
      this.abort('origin broke off')
      return
    }
    const last = this.#framing === 'chunked' ? `0\r\n${this.#trailerLines()}\r\n` : ''
    if (this.#text !== '' || last !== '') this.#connection.output.send(this.#text + last)
    this.#finish()
  }

  takeFailure(): void {
    this.abort('origin broke off')
  }

  #mayNotAnswer(): boolean {
    if (this.#hasEnded) return true
    if (this.status !== 0) throw new Error('An exchange is answered once')
    return false
  }

  /** The length of what GET would send; `null` when it is not known. */
  #lengthOf(head: ResponseHead, body: Source | Uint8Array | null): number | null {
    if (body instanceof Uint8Array) return body.length
    return body === null && this.request.method !== 'HEAD' ? 0 : head.lengthOctets
  }

  /** The head of a known length, when the same was written before. */
  #writtenBefore({ fields, status }: ResponseHead, lengthOctets: number | null): WrittenHead | undefined {
    const { written } = fields
    if (written == null || written.status !== status || written.lengthOctets !== lengthOctets)
      return undefined
    if (written.dateLine !== '' && written.dateLine !== this.#connection.dateLine) return undefined
    this.#connection.decideToKeepAlive(this.body)
    return this.#connection.keepsAlive && this.request.version === '1.1' ? written : undefined
  }

  /** Decide the framing and write the head (RFC 9112 §6, §9.3). */
  #frame(head: ResponseHead, isBare: boolean, lengthOctets: number | null): void {
    const connection = this.#connection
    const { version } = this.request
    let framing = ''
    if (head.status === 205) {
      framing = 'Content-Length: 0\r\n'
    } else if (!hasContent('GET', head.status) || (isBare && lengthOctets === null)) {
      // RFC 9110 §8.6: 204 must not say a length and 304 need not; HEAD says what GET would, when it is known.
    } else if (lengthOctets !== null) {
      framing = `Content-Length: ${lengthOctets}\r\n`
    } else if (version === '1.0') {
      this.#framing = 'until close'
      connection.keepsAlive = false
    } else {
      this.#framing = 'chunked'
      framing = 'Transfer-Encoding: chunked\r\n'
    }
    connection.decideToKeepAlive(this.body)
    if (head.upgrade !== undefined) framing += `Upgrade: ${head.upgrade}\r\nConnection: Upgrade\r\n`
    if (!connection.keepsAlive) framing += 'Connection: close\r\n'
    else if (version === '1.0') framing += 'Connection: keep-alive\r\n'
    // The Date of an origin stays (RFC 9110 §6.6.1): it says how old a stored response is.
    const date = head.fields.get('date') === undefined ? connection.dateLine : ''
    this.#text = `${statusLine(head.status)}${serializeFields(head.fields, CONNECTION_FIELDS)}${framing}${date}\r\n`
    if (head.fields.written === undefined || !connection.keepsAlive || version !== '1.1') return
    if (isBare || head.upgrade !== undefined || this.#framing !== 'length') return
    const text = this.#text
    const octets = Buffer.from(text, 'latin1')
    head.fields.written = { status: head.status, lengthOctets, dateLine: date, text, octets }
  }

  /** RFC 9110 §6.5.1: trailers go to those who said that they take them. */
  #trailerLines(): string {
    const trailers = this.#source?.trailers?.()
    if (trailers === undefined || trailers.size === 0) return ''
    return hasToken(this.request.fields, 'te', 'trailers') ? serializeFields(trailers, CONNECTION_FIELDS) : ''
  }

  /** Everything was handed to the output; the exchange ends when the output has let go of it. */
  #finish(): void {
    this.#isSent = true
    if (!this.#connection.output.isBlocked) this.#connection.finishExchange(this)
  }
}

/** The connection writes these itself, and what is hop-by-hop ends here (RFC 9110 §7.6.1). */
const CONNECTION_FIELDS = new NameSet([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])
