import type { RequestIdConfig, TracesConfig } from './config.ts'

/** What is done to tell requests apart; null when nothing is. */
export type IdentityPlan = {
  /** traceparent and tracestate go to origins */
  readonly trace: boolean
  /** X-Request-Id goes to origins */
  readonly field: boolean
  /** X-Request-Id goes to clients */
  readonly respond: boolean
}

export type TracesPlan = {
  readonly endpoint: string
  readonly service: string
  /** share of traces that begin here and are recorded, 0 to 1 */
  readonly share: number
  readonly queueSpans: number
}

/** What `requestId` and `traces` say. */
export function planTraces(
  ids: RequestIdConfig,
  traces: TracesConfig | undefined,
): { identity: IdentityPlan | null; traces: TracesPlan | null } {
  const trace = ids.trace || traces !== undefined
  const isWanted = trace || ids.field || ids.respond
  return {
    identity: isWanted ? { trace, field: ids.field, respond: ids.respond } : null,
    traces:
      traces === undefined
        ? null
        : {
            endpoint: traces.endpoint,
            service: traces.service,
            share: traces.sample / 100,
            queueSpans: traces.queue,
          },
  }
}
