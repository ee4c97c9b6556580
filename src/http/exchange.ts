import type { Fields } from './wire/fields.ts'

/**
 * A body that is pulled: the connection asks when its socket can take more, so that
 * back-pressure needs no second mechanism.
 */
export type Source = {
  /**
   * Take up to `limitOctets` octets.
   *
   * @returns octets at once when they are at hand, else a promise of them; `null` at the end.
   *   Octets belong to the caller until its next `read` or `cancel`: a source may reuse their memory after that.
   *   A promise that rejects means that the body broke off: the receiver must not see it as complete.
   */
  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null>
  /** Nobody wants the rest: free what stands behind the body. Never throws; calls after the first do nothing. */
  cancel(reason: EndReason): void
  /** Take away the limit of its octets: it has no end by its nature, and is followed, not stored. */
  unlimit?(): void
  /** octets at hand that the receiver has not asked for, for those who look how far ahead of it the source is */
  aheadOctets?(): number
  /** where the next octets lie, when that is in a file and in memory: who can have them sent from there need not read them */
  span?(limitOctets: number): FileSpan | undefined
  /** So many octets of the last span were sent. */
  skip?(octets: number): void
  /** fields after the content (RFC 9110 §6.5), known once `read` has given `null` */
  trailers?(): Fields | undefined
}

/** Octets of an open file. */
export type FileSpan = {
  readonly descriptor: number
  readonly position: number
  readonly lengthOctets: number
}

/** Content of up to so many octets is the caller's again at once: it may lie in memory that is read into next. */
export const SMALL_OCTETS = 4096

/** Why an exchange ended: the same words in log, metrics and explain. */
export type EndReason =
  | 'finished'
  | 'client left'
  | 'client broke the protocol'
  | 'client too slow'
  | 'origin unreachable'
  | 'origin timed out'
  | 'origin broke the protocol'
  | 'origin broke off'
  | 'origin cancelled'
  | 'limit'
  | 'drain'
  | 'portico failed'

/** Who is on the other side of the connection. */
export type Client = {
  /** textual address without zone or brackets, such as `203.0.113.7` or `2001:db8::1` */
  readonly address: string
  readonly port: number
  /** over TLS */
  readonly secure: boolean
  /** the name that was asked for in the handshake, when the client has shown the certificate that the host wants */
  readonly verifiedName?: string
  /** the port of ours that was connected to */
  readonly localPort: number
}

/** A request after framing: what a handler needs, whatever the protocol below. */
export type Request = {
  /** case-sensitive token (RFC 9110 §9.1) */
  readonly method: string
  /** `host` or `host:port`, lower case, without userinfo (RFC 9110 §7.2); empty only for HTTP/1.0 without Host */
  readonly authority: string
  /** the host of the authority: lower case, no port, no trailing dot, brackets kept for IPv6 */
  readonly host: string
  /** origin-form, starts with `/` (or `*` for OPTIONS): path and query as sent (RFC 9112 §3.2) */
  readonly target: string
  /** `1.0`, `1.1` or `2` as received */
  readonly version: '1.0' | '1.1' | '2'
  /** end-to-end fields and hop-by-hop ones as received; who forwards them filters (RFC 9110 §7.6.1) */
  readonly fields: Fields
  /** what the file adds for the origin: it passes whatever a client may not say */
  readonly fieldsForOrigin?: Fields
  readonly client: Client
  /** content after transfer coding; `null` when there is none */
  readonly body: Source | null
  /** length of the content in octets when the client said so; `null` when chunked; 0 without content */
  readonly lengthOctets: number | null
  /** the protocol asked for by Upgrade, lower case (`websocket`), else undefined; only HTTP/1.1 (RFC 9110 §7.8) */
  readonly upgrade: string | undefined
}

/** The head of a response. Framing fields (Content-Length, Transfer-Encoding, Connection, Date) are the connection's. */
export type ResponseHead = {
  /** 200 to 599 */
  readonly status: number
  /** fields without the framing fields and hop-by-hop fields */
  readonly fields: Fields
  /** length of the content in octets; `null` when it is not known before the end */
  readonly lengthOctets: number | null
  /** what 426 wants to be asked for by Upgrade (RFC 9110 §15.5.22); HTTP/2 has no such field */
  readonly upgrade?: string | undefined
  /** octets of the content for each second of its film or sound; null when nobody knows */
  readonly mediaRate?: (() => number | null) | undefined
  /** a page of Portico's own that says what went wrong; the file may have another one for it */
  readonly isPage?: boolean
}

/**
 * One request and its response.
 *
 * Exactly one of `respond`, `switchProtocols` and `abort` is called, once. HEAD is answered like GET:
 * the connection leaves the content out and cancels the source.
 */
export type Exchange = {
  readonly request: Request
  /**
   * Send the response. `body` is pulled as the client takes it.
   *
   * Octets up to `SMALL_OCTETS` are copied before `respond` returns; more must stay as they are until the end.
   */
  respond(head: ResponseHead, body: Source | Uint8Array | null): void
  /** Send an interim response, 100 to 199 but not 101 (RFC 9110 §15.2). */
  inform(status: number, fields: Fields): void
  /**
   * Answer 101 and hand the octets over in both directions (RFC 9110 §7.8).
   *
   * @returns what the client sends from now on; `toClient` is pulled as the client takes it
   */
  switchProtocols(fields: Fields, toClient: Source): Source
  /** End without a complete response: the connection is closed so that the client cannot take it as complete. */
  abort(reason: EndReason): void
  /** Called once when the exchange has ended. The exchange is the one of the connection, so that one listener serves all. */
  onEnd: EndListener | undefined
  /** what a handler wants the access log to say, such as the origin */
  note: ExchangeNote
}

export type EndListener = (end: ExchangeEnd, exchange: Exchange) => void

export type ExchangeNote = {
  routeId: string
  /** `host:port` of the origin that answered, or `files`, `redirect`, `respond` */
  answeredBy: string
  reason: string
  /** what log, trace and origin call the request by; empty until somebody asks for it */
  requestId: string
  /** milliseconds of `performance.now()`; NaN when nobody measures */
  startedAt: number
  /** when the head of the response was at hand; NaN before */
  answeredAt: number
  /** follows the attempts at origins; undefined when nobody does */
  trail: Trail | undefined
}

/** Follows one exchange through its attempts at origins. */
export type Trail = {
  /** 32 hexadecimal digits (Trace Context level 2, 3.2.2.3) */
  readonly traceId: string
  /**
   * A request goes out now.
   *
   * @param origin `host:port`
   * @returns fields for this attempt alone
   */
  asked(origin: string): Fields
  /** @param status of the response; 0 when there is none */
  answered(status: number, failure: string): void
  ended(end: ExchangeEnd, exchange: Exchange): void
}

export type ExchangeEnd = {
  readonly reason: EndReason
  /** status sent; 0 when none was */
  readonly status: number
  /** octets of response content sent to the client */
  readonly sentOctets: number
  /** octets of request content received */
  readonly receivedOctets: number
  /** all was sent while it was answered: it ended at `answeredAt`, and nobody need read the clock again */
  readonly isAtOnce: boolean
}

/** What answers exchanges: composed once per route when a Plan is committed. Must not throw. */
export type Handler = (exchange: Exchange) => void
