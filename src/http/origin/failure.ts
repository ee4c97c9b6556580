import type { EndReason } from '../exchange.ts'

/** Why there is no response of the origin to pass on: what the client gets, and what the log says. */
export type OriginFailure = {
  readonly status: 502 | 503 | 504
  readonly reason: EndReason
  /** whose fault it is and why, as a sentence without final dot; names no address, because clients read it */
  readonly say: string
  /** what the system said, such as `connect ECONNREFUSED 127.0.0.1:8081`: for the log only */
  readonly detail: string
  /** the origin has said that it did nothing with the request (RFC 9113 §8.7) */
  readonly isUnprocessed?: boolean
}

/** A failure to connect, by the code of the system (502), or of TLS when the code is none that we know. */
export function connectFailure(error: Error & { readonly code?: string }): OriginFailure {
  const say = CONNECT_SAYS[error.code ?? ''] ?? 'The origin cannot be reached'
  return {
    status: 502,
    reason: 'origin unreachable',
    say,
    detail: error.message || (error.code ?? 'unknown'),
  }
}

const CONNECT_SAYS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'The origin refuses connections: nothing listens on its port',
  ENOTFOUND: "The origin's name has no address",
  EAI_AGAIN: "The origin's name cannot be resolved at the moment",
  EHOSTUNREACH: 'There is no way to the network of the origin',
  ENETUNREACH: 'There is no way to the network of the origin',
  DEPTH_ZERO_SELF_SIGNED_CERT: "The origin's certificate is not from a trusted authority",
  SELF_SIGNED_CERT_IN_CHAIN: "The origin's certificate is not from a trusted authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "The origin's certificate is not from a trusted authority",
  CERT_HAS_EXPIRED: "The origin's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "The origin's certificate is for another name",
}

/** The origin took longer than a limit of ours (504). */
export function timeoutFailure(what: string, limitMs: number): OriginFailure {
  const say = `The origin did not ${what} within ${limitMs / 1000} s`
  return { status: 504, reason: 'origin timed out', say, detail: say }
}

/** The origin sent what is not HTTP (502). */
export function protocolFailure(detail: string): OriginFailure {
  return {
    status: 502,
    reason: 'origin broke the protocol',
    say: 'The origin answered with something that is not HTTP',
    detail,
  }
}

/** The origin closed the connection before the end of its response (502 as long as nothing was sent). */
export function brokenFailure(detail: string): OriginFailure {
  return {
    status: 502,
    reason: 'origin broke off',
    say: 'The origin closed the connection before it answered',
    detail,
  }
}

/** What a source rejects with when its content breaks off. */
export class BrokenBody extends Error {
  readonly reason: EndReason
  constructor(reason: EndReason, detail: string) {
    super(detail)
    this.reason = reason
  }
}
