import type { Exchange, ResponseHead, Source, Trail } from '#http/exchange.ts'
import { type Fields, fieldsOf, joinFields, NameSet, withoutFields } from '#http/wire/fields.ts'
import { PassingExchange } from '#http/wire/passing-exchange.ts'
import { PlainTrail } from './plain-trail.ts'
import type { IdentityPlan } from './plan.ts'
import { randomHex } from './random-hex.ts'
import { type Incoming, parseTraceparent, parseTracestate } from './wire/trace-context.ts'

/** Records what happens to exchanges. */
export type Tracer = {
  begin(exchange: Exchange, incoming: Incoming): Trail
  /** spans that did not reach the collector */
  readonly dropped: number
  /** Send what waits; gives up after a while. */
  close(): Promise<void>
}

export type IdentifyOptions = {
  /** null: the trace is passed on, and not recorded */
  readonly tracer: Tracer | null
  /** Whether a peer at this address is believed. */
  readonly isTrusted: (address: string) => boolean
}

/**
 * Give an exchange its ids, and its request the fields that carry them.
 *
 * @returns the exchange that goes on; its request has none of the fields that a client may not set
 */
export function identify(
  exchange: Exchange,
  plan: IdentityPlan,
  { tracer, isTrusted }: IdentifyOptions,
): Exchange {
  const { request, note } = exchange
  const given = isTrusted(request.client.address) ? request.fields : noneGiven
  if (plan.trace) {
    const incoming = readIncoming(given)
    note.trail = tracer === null ? new PlainTrail(incoming) : tracer.begin(exchange, incoming)
  }
  note.requestId = readRequestId(given) ?? note.trail?.traceId ?? randomHex(16)
  const own = fieldsOf([['X-Request-Id', note.requestId]])
  const dropped = plan.trace ? (plan.field ? ALL_FIELDS : TRACE_FIELDS) : ID_FIELDS
  const identified = {
    ...request,
    fields: plan.trace || plan.field ? withoutFields(request.fields, dropped) : request.fields,
    ...(plan.field ? { fieldsForOrigin: own } : {}),
  }
  return plan.respond ? new Named(exchange, identified, own) : new PassingExchange(exchange, identified)
}

const noneGiven: Fields = fieldsOf([])

const TRACE_FIELDS = new NameSet(['traceparent', 'tracestate'])
// CGI and WSGI make no difference between "-" and "_".
const ID_NAMES = ['x-request-id', 'x_request_id', 'x-request_id', 'x_request-id']
const ID_FIELDS = new NameSet(ID_NAMES)
const ALL_FIELDS = new NameSet([...ID_NAMES, 'traceparent', 'tracestate'])

/** 3.3 of Trace Context: a tracestate without a traceparent that can be read says nothing. */
function readIncoming(fields: Fields): Incoming {
  const parent = parseTraceparent(fields.all('traceparent'))
  return { parent, state: parent === undefined ? '' : parseTracestate(fields.all('tracestate')) }
}

/** It goes into logs and fields as it is: what others write there is kept short and plain. */
const REQUEST_ID = /^[A-Za-z0-9._~+/=:@-]{1,128}$/

function readRequestId(fields: Fields): string | undefined {
  const [id, second] = fields.all('x-request-id')
  return id !== undefined && second === undefined && REQUEST_ID.test(id) ? id : undefined
}

/** An exchange whose response tells the client its id. */
class Named extends PassingExchange {
  readonly #id: Fields

  constructor(below: Exchange, request: Exchange['request'], id: Fields) {
    super(below, request)
    this.#id = id
  }

  override respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    super.respond({ ...head, fields: joinFields(withoutFields(head.fields, ID_FIELDS), this.#id) }, body)
  }
}
