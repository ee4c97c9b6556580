import type {
  EndListener,
  EndReason,
  Exchange,
  ExchangeNote,
  Request,
  ResponseHead,
  Source,
} from '../exchange.ts'
import type { Fields } from './fields.ts'

/** An exchange that goes through to the one below, but for its request. */
export class PassingExchange implements Exchange {
  readonly request: Request
  readonly #below: Exchange

  constructor(below: Exchange, request: Request) {
    this.#below = below
    this.request = request
  }

  get onEnd(): EndListener | undefined {
    return this.#below.onEnd
  }

  set onEnd(listener: EndListener | undefined) {
    this.#below.onEnd = listener
  }

  get note(): ExchangeNote {
    return this.#below.note
  }

  set note(note: ExchangeNote) {
    this.#below.note = note
  }

  respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    this.#below.respond(head, body)
  }

  inform(status: number, fields: Fields): void {
    this.#below.inform(status, fields)
  }

  switchProtocols(fields: Fields, toClient: Source): Source {
    return this.#below.switchProtocols(fields, toClient)
  }

  abort(reason: EndReason): void {
    this.#below.abort(reason)
  }
}
