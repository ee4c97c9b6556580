import type { PorticoConfig } from '#config/file.ts'
import { type AccessLogPlan, planAccessLog } from '#log/plan.ts'
import { type MetricsPlan, planMetrics } from '#metrics/plan.ts'
import { type IdentityPlan, planTraces, type TracesPlan } from '#traces/plan.ts'

/** What operators want to see. */
export type ObservePlan = {
  readonly accessLog: AccessLogPlan | null
  readonly identity: IdentityPlan | null
  readonly traces: TracesPlan | null
  readonly metrics: MetricsPlan
}

/** What `log.access`, `requestId`, `traces` and `metrics` say. */
export function planObserve({ log, requestId, traces, metrics }: PorticoConfig): ObservePlan {
  return {
    accessLog: planAccessLog(log.access),
    ...planTraces(requestId, traces),
    metrics: planMetrics(metrics),
  }
}
