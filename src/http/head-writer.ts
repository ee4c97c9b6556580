import type { Client, Request } from './exchange.ts'
import { type GatewayRequest, requestHead } from './gateway.ts'
import type { Fields } from './wire/fields.ts'

/** Writes heads for origins. A client that asks the same again has the same head sent: it is not written anew. */
export class HeadWriter {
  /** what was written last for each client connection */
  readonly #last = new WeakMap<Client, Written>()

  /** As `requestHead` says. */
  write(request: Request, gateway: GatewayRequest): string {
    const last = this.#last.get(request.client)
    if (last?.isFor(request, gateway) === true) return last.head
    const written = last ?? new Written()
    if (last === undefined) this.#last.set(request.client, written)
    return written.write(request, gateway)
  }
}

class Written {
  head = ''
  #fields: Fields | undefined
  #fieldsForOrigin: Fields | undefined
  #target = ''
  #isTrusted = false
  #hasContent = false
  #lengthOctets: number | null = 0

  /** The connection gives equal heads the same fields; who has no authority is sent on with the origin's. */
  isFor(request: Request, gateway: GatewayRequest): boolean {
    return (
      this.head !== '' &&
      this.#fields === request.fields &&
      this.#fieldsForOrigin === request.fieldsForOrigin &&
      this.#target === request.target &&
      this.#isTrusted === gateway.isTrusted &&
      // In HTTP/2 the fields do not say whether content follows.
      this.#hasContent === (request.body !== null) &&
      this.#lengthOctets === request.lengthOctets &&
      request.authority !== ''
    )
  }

  write(request: Request, gateway: GatewayRequest): string {
    const head = requestHead(request, gateway)
    // Most clients ask for something else each time: what came once is not worth keeping.
    if (this.#fields !== request.fields) {
      this.#fields = request.fields
      this.head = ''
      return head
    }
    this.#fieldsForOrigin = request.fieldsForOrigin
    this.#target = request.target
    this.#isTrusted = gateway.isTrusted
    this.#hasContent = request.body !== null
    this.#lengthOctets = request.lengthOctets
    this.head = head
    return head
  }
}
