import type { Exchange, ExchangeEnd, ExchangeNote, Request, ResponseHead, Source } from '#http/exchange.ts'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import { listMembers } from '#http/wire/list.ts'

/**
 * The fields of a request with what we found out of who asks.
 *
 * @param names lower case; what the client itself sends under them is left out, also with "_" for "-", which CGI and
 *   WSGI do not tell apart. Connection may not name them: a gateway would take them out (RFC 9110 §7.6.1).
 */
export function identify(
  fields: Fields,
  names: ReadonlySet<string>,
  found: readonly (readonly [string, string])[],
): Fields {
  const pairs: (readonly [string, string])[] = []
  fields.each((name, value) => {
    const lower = name.toLowerCase()
    if (names.has(lower.replaceAll('_', '-'))) return
    if (lower !== 'connection') pairs.push([name, value])
    else {
      const kept = listMembers([value]).filter((member) => !names.has(member.toLowerCase()))
      if (kept.length > 0) pairs.push([name, kept.join(', ')])
    }
  })
  return fieldsOf([...pairs, ...found])
}

/** An exchange whose request has other fields; everything else is the exchange's below. */
export class IdentifiedExchange implements Exchange {
  readonly request: Request
  readonly #below: Exchange

  constructor(below: Exchange, fields: Fields) {
    this.#below = below
    this.request = { ...below.request, fields }
  }

  get onEnd(): ((end: ExchangeEnd) => void) | undefined {
    return this.#below.onEnd
  }

  set onEnd(listener: ((end: ExchangeEnd) => void) | undefined) {
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

  abort(reason: Parameters<Exchange['abort']>[0]): void {
    this.#below.abort(reason)
  }
}
