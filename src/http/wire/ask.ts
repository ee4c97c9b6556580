import type {
  EndListener,
  EndReason,
  Exchange,
  ExchangeNote,
  Handler,
  Request,
  ResponseHead,
  Source,
} from '../exchange.ts'
import type { Fields } from './fields.ts'
import { createNote } from './note.ts'
import { sourceOf } from './octets-source.ts'

/** What hears of an exchange that Portico has with the handler of a route on its own account. */
export type Asker = {
  /** an interim response came */
  informed(status: number, fields: Fields): void
  /** the response came; whoever takes the body reads it to its end or cancels it */
  answered(head: ResponseHead, body: Source | null, note: ExchangeNote): void
  /** there will be none */
  aborted(reason: EndReason): void
}

/** Send a request through the handler of a route, with no client behind it. */
export function ask(handler: Handler, request: Request, asker: Asker): void {
  handler(new OriginExchange(request, asker))
}

class OriginExchange implements Exchange {
  readonly request: Request
  onEnd: EndListener | undefined = undefined
  note: ExchangeNote = createNote()
  readonly #asker: Asker
  #status = 0
  #octets = 0
  #hasEnded = false

  constructor(request: Request, asker: Asker) {
    this.request = request
    this.#asker = asker
  }

  respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    this.#status = head.status
    if (body === null) this.#end('finished')
    this.#asker.answered(head, body === null ? null : this.#watched(body), this.note)
  }

  inform(status: number, fields: Fields): void {
    this.#asker.informed(status, fields)
  }

  /** Not asked for, so it does not come. */
  switchProtocols(_fields: Fields, toClient: Source): Source {
    toClient.cancel('origin broke the protocol')
    this.abort('origin broke the protocol')
    return sourceOf(new Uint8Array())
  }

  abort(reason: EndReason): void {
    if (this.#hasEnded) return
    this.#end(reason)
    this.#asker.aborted(reason)
  }

  /** The body; its end is the end of the exchange. */
  #watched(body: Source | Uint8Array): Source {
    // Small octets are the caller's again at once: they are kept for as long as the body is read.
    const source = body instanceof Uint8Array ? sourceOf(Buffer.from(body)) : body
    const note = (octets: Uint8Array | null): Uint8Array | null => {
      this.#octets += octets?.length ?? 0
      if (octets === null) this.#end('finished')
      return octets
    }
    return {
      read: (limitOctets) => {
        const octets = source.read(limitOctets)
        return octets instanceof Promise ? octets.then(note) : note(octets)
      },
      cancel: (reason) => {
        source.cancel(reason)
        this.#end(reason)
      },
      trailers: () => source.trailers?.(),
    }
  }

  #end(reason: EndReason): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    const end = { reason, status: this.#status, sentOctets: this.#octets, receivedOctets: 0, isAtOnce: false }
    this.onEnd?.(end, this)
  }
}
