import type { Exchange, ExchangeEnd } from '#http/exchange.ts'
import { pathOf } from '#http/wire/path.ts'

/** Gets one record for each exchange that ended. */
export type AccessLog = (record: AccessRecord) => void

/** The stable schema of the access log: one JSON object a line; what is undefined is left out. */
export type AccessRecord = {
  /** ISO 8601 with milliseconds, when the response ended */
  readonly time: string
  readonly client: string
  readonly scheme: 'http' | 'https'
  readonly method: string
  readonly host: string
  readonly target: string
  readonly version: string
  /** 0: none was sent */
  readonly status: number
  readonly sentOctets: number
  readonly receivedOctets: number
  readonly durationMs: number
  /** until the head of the response */
  readonly firstOctetMs: number | undefined
  readonly route: string
  readonly answeredBy: string
  /** why the exchange ended */
  readonly end: string
  /** why it was answered so */
  readonly reason: string
  readonly requestId: string | undefined
  /** of the trace that the request belongs to (Trace Context) */
  readonly traceId: string | undefined
  readonly referer: string | undefined
  readonly userAgent: string | undefined
  /** how many requests the line stands for; undefined: one */
  readonly standsFor: number | undefined
}

/** `now` in milliseconds as in the note; `time` in ISO 8601. */
export type RecordTime = { readonly now: number; readonly time: string }

/**
 * What is written down of an exchange.
 *
 * @param keepsQuery whether the queries of target and referer are
 */
export function recordOf(
  { request, note }: Exchange,
  end: ExchangeEnd,
  { now, time }: RecordTime,
  keepsQuery: boolean,
): AccessRecord {
  const shown = (target: string): string => (keepsQuery ? target : pathOf(target))
  const referer = request.fields.get('referer')
  return {
    time,
    client: request.client.address,
    scheme: request.client.secure ? 'https' : 'http',
    method: request.method,
    host: request.host,
    target: shown(request.target),
    version: request.version,
    status: end.status,
    sentOctets: end.sentOctets,
    receivedOctets: end.receivedOctets,
    durationMs: toMicroseconds(now - note.startedAt),
    firstOctetMs: Number.isNaN(note.answeredAt)
      ? undefined
      : toMicroseconds(note.answeredAt - note.startedAt),
    route: note.routeId,
    answeredBy: note.answeredBy,
    end: end.reason,
    reason: note.reason,
    requestId: note.requestId || undefined,
    traceId: note.trail?.traceId,
    referer: referer === undefined ? undefined : shown(referer),
    userAgent: request.fields.get('user-agent'),
    standsFor: undefined,
  }
}

function toMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
