import type { GroupSetting } from '#core/settings.ts'

/** How requests are told apart by all who see them, as written. */
export type RequestIdConfig = {
  readonly trace: boolean
  readonly field: boolean
  readonly respond: boolean
}

export type TracesConfig = {
  readonly endpoint: string
  readonly service: string
  readonly sample: number
  readonly queue: number
}

/** `requestId`: off until somebody asks for it, because it makes the head of every request a new one. */
export const requestIdSettings: GroupSetting = {
  type: 'group',
  doc: 'An id for each request, in the access log and at the origin. One that a client sends counts only from networks in `trust`; else a new one is made.',
  fields: {
    trace: {
      type: 'flag',
      doc: 'Pass on `traceparent` and `tracestate`, or begin a trace (W3C Trace Context). Always so with `traces`.',
      initial: false,
      source: 'it costs a proxied request a third more time of the processor',
    },
    field: { type: 'flag', doc: 'Send `X-Request-Id` to origins.', initial: false },
    respond: { type: 'flag', doc: 'Send `X-Request-Id` to clients.', initial: false },
  },
}

/** `traces`: spans by the SDK of OpenTelemetry; nothing of it is loaded without. */
export const tracesSettings: GroupSetting = {
  type: 'group',
  doc: 'Send traces to a collector (OpenTelemetry, OTLP over HTTP): a span for each request and for each attempt at an origin.',
  fields: {
    endpoint: {
      type: 'text',
      doc: 'Where the collector takes traces.',
      form: {
        pattern: '^https?://[^\\s]+$',
        say: 'a URL, such as "http://127.0.0.1:4318/v1/traces"',
      },
      example: 'http://127.0.0.1:4318/v1/traces',
    },
    service: { type: 'text', doc: 'The name of this service in traces.', initial: 'portico' },
    sample: {
      type: 'integer',
      doc: 'How many of a hundred traces that begin here are recorded. Who sends a trace and is trusted decides itself.',
      unit: 'percent',
      initial: 100,
      min: 0,
      max: 100,
    },
    queue: {
      type: 'integer',
      doc: 'Most spans that wait for the collector; further ones are dropped and counted.',
      unit: 'spans',
      initial: 2048,
      min: 1,
      max: 1_000_000,
      source: 'the default of the OpenTelemetry specification',
    },
  },
  required: ['endpoint'],
}
