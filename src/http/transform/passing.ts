import type {
  EndReason,
  Exchange,
  ExchangeEnd,
  ExchangeNote,
  Request,
  ResponseHead,
  Source,
} from '../exchange.ts'
import type { Fields } from '../wire/fields.ts'

/** What happens to an exchange before its handler sees it; null when it was answered here. */
export type Step = (exchange: Exchange) => Exchange | null

/** Changes a response on its way out; what it gives back is sent. Must not throw. */
export type ChangeResponse = (head: ResponseHead, body: Source | Uint8Array | null) => Response

export type Response = { readonly head: ResponseHead; readonly body: Source | Uint8Array | null }

/** An exchange that goes through to another one, but for its request or its response. */
export class Passing implements Exchange {
  readonly request: Request
  readonly #inner: Exchange
  readonly #change: ChangeResponse | undefined

  constructor(inner: Exchange, request: Request, change?: ChangeResponse) {
    this.#inner = inner
    this.request = request
    this.#change = change
  }

  get onEnd(): ((end: ExchangeEnd) => void) | undefined {
    return this.#inner.onEnd
  }

  set onEnd(listener: ((end: ExchangeEnd) => void) | undefined) {
    this.#inner.onEnd = listener
  }

  get note(): ExchangeNote {
    return this.#inner.note
  }

  set note(note: ExchangeNote) {
    this.#inner.note = note
  }

  respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    if (this.#change === undefined) return this.#inner.respond(head, body)
    const changed = this.#change(head, body)
    this.#inner.respond(changed.head, changed.body)
  }

  inform(status: number, fields: Fields): void {
    this.#inner.inform(status, fields)
  }

  switchProtocols(fields: Fields, toClient: Source): Source {
    return this.#inner.switchProtocols(fields, toClient)
  }

  abort(reason: EndReason): void {
    this.#inner.abort(reason)
  }
}
