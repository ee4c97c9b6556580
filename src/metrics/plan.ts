import type { MetricsConfig } from './config.ts'

/** How much is told apart in metrics. */
export type MetricsPlan = {
  /** routes and origins with series of their own */
  readonly limitRoutes: number
}

/** What `metrics` says; its listener is one of the Plan's listeners. */
export function planMetrics({ routes }: MetricsConfig): MetricsPlan {
  return { limitRoutes: routes }
}
