import type { Exchange, Request, ResponseHead, Source } from '../exchange.ts'
import { PassingExchange } from '../wire/passing-exchange.ts'

/** What happens to an exchange before its handler sees it; null when it was answered here. */
export type Step = (exchange: Exchange) => Exchange | null

/** Changes a response on its way out; what it gives back is sent. Must not throw. */
export type ChangeResponse = (head: ResponseHead, body: Source | Uint8Array | null) => Response

export type Response = { readonly head: ResponseHead; readonly body: Source | Uint8Array | null }

/** An exchange that goes through to another one, but for its request or its response. */
export class Passing extends PassingExchange {
  readonly #change: ChangeResponse | undefined

  constructor(below: Exchange, request: Request, change?: ChangeResponse) {
    super(below, request)
    this.#change = change
  }

  override respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    if (this.#change === undefined) return super.respond(head, body)
    const changed = this.#change(head, body)
    super.respond(changed.head, changed.body)
  }
}
