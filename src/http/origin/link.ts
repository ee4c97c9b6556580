import type { SecureContext } from 'node:tls'
import type { EndReason, Source } from '../exchange.ts'
import type { HttpLimits } from '../plan.ts'
import type { Fields } from '../wire/fields.ts'
import type { OriginFailure } from './failure.ts'

/** A way for a request to an origin: a connection of HTTP/1.1, or a stream on one of HTTP/2. */
export type OriginLink = {
  /** the coarse time at which the present wait began */
  readonly since: number
  readonly openedAt: number
  /** how many requests its connection has had */
  readonly requests: number
  /** it serves one request and is not kept: the connection below it is */
  readonly isSingle: boolean
  /** Send a request; only when it is open and free. */
  send(request: OriginRequest, receiver: Receiver): void
  /** After `switched`: send what `source` gives, and close our side at its end. */
  sendRaw(source: Source): void
  /** Fail what takes too long. */
  sweep(limits: HttpLimits): void
  /** Close now; a body that is being read breaks off with `reason`. */
  destroy(reason: EndReason): void
  /** Close now; who waits for an answer gets `failure` instead. */
  close(failure: OriginFailure): void
}

/** What a link asks of the pool that it belongs to. */
export type LinkOwner = {
  readonly limits: HttpLimits
  /** milliseconds of a coarse clock, and its steps */
  readonly now: number
  readonly tickMs: number
  /** the last TLS session with this origin, to resume from */
  session: Buffer | undefined
  /** authorities and client certificate, when the file names them */
  readonly secure: SecureContext | undefined
  opened(link: OriginLink): void
  /** It can take the next request. */
  released(link: OriginLink): void
  /** It is gone; `failure` when it was never open. */
  closed(link: OriginLink, failure: OriginFailure | undefined): void
}

/** A request as it goes to the origin. */
export type OriginRequest = {
  readonly method: string
  /** request line, field lines and the empty line, Latin-1; HTTP/2 says the same in its own way */
  readonly head: string
  readonly body: Source | null
  /** the body goes in chunks because its length is not known (RFC 9112 §7.1) */
  readonly isChunked: boolean
  /** the origin says first whether it wants the body (RFC 9110 §10.1.1) */
  readonly awaitsContinue: boolean
  readonly asksUpgrade: boolean
}

/** The head of a response. */
export type OriginHead = {
  readonly status: number
  readonly version: '1.0' | '1.1' | '2'
  readonly fields: Fields
  /** what Content-Length says, also of content that is not sent, as to HEAD; `null` when nothing is said */
  readonly statedOctets: number | null
  /** the fields for the client, kept here by who makes them: a head may come again */
  passedOn: Fields | undefined
}

/** Who gets what the origin answers. Exactly one of `answered`, `switched` and `failed` is called, last. */
export type Receiver = {
  /** An interim response, neither 100 nor 101 (RFC 9110 §15.2). */
  informed(head: OriginHead): void
  /** @param body null when the response has no content; octets when all of it has come */
  answered(head: OriginHead, body: Uint8Array | Source | null): void
  /** 101 (RFC 9110 §7.8): `fromOrigin` ends when the origin closes its side. */
  switched(fields: Fields, fromOrigin: Source): void
  /** @param isSilent no octet of a response has come */
  failed(failure: OriginFailure, isSilent: boolean): void
}

/** curl waits as long before it sends the content unasked (RFC 9110 §10.1.1). */
export const CONTINUE_MS = 1000
/** interim responses before one answer */
export const LIMIT_INTERIM = 32
