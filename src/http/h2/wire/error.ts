// The error codes of RST_STREAM and GOAWAY that we send (RFC 9113 §7).

/** Nothing went wrong: the connection ends, or the rest of a request is not needed. */
export const NO_ERROR = 0x0
/** What no other code says better. */
export const PROTOCOL_ERROR = 0x1
/** The fault is ours. */
export const INTERNAL_ERROR = 0x2
/** More was sent than the window allows, or a window would become too large. */
export const FLOW_CONTROL_ERROR = 0x3
/** A frame came for a stream that its sender had ended. */
export const STREAM_CLOSED = 0x5
/** A frame is larger than allowed, or has not the size of its type. */
export const FRAME_SIZE_ERROR = 0x6
/** Nothing was done with the request: it may be sent again. */
export const REFUSED_STREAM = 0x7
/** The stream is not needed any more. */
export const CANCEL = 0x8
/** The two sides no longer have the same tables. */
export const COMPRESSION_ERROR = 0x9
/** The peer makes more work than is reasonable. */
export const ENHANCE_YOUR_CALM = 0xb

/** A fault of the peer and how far it reaches (RFC 9113 §5.4): GOAWAY and the end, or RST_STREAM and on. */
export type H2Error = {
  readonly kind: 'h2 error'
  /** one of the codes above */
  readonly code: number
  readonly scope: 'connection' | 'stream'
  /** for the log and the debug data of GOAWAY */
  readonly reason: string
}

/** A fault that ends the connection (RFC 9113 §5.4.1). */
export function connectionError(code: number, reason: string): H2Error {
  return { kind: 'h2 error', code, scope: 'connection', reason }
}

/** A fault that ends one stream (RFC 9113 §5.4.2). */
export function streamError(code: number, reason: string): H2Error {
  return { kind: 'h2 error', code, scope: 'stream', reason }
}

/** Whether a result is a fault of the peer, for results that may be plain numbers or words. */
export function isH2Error(result: unknown): result is H2Error {
  return typeof result === 'object' && result !== null && (result as { kind?: unknown }).kind === 'h2 error'
}
