import type { AccessLogConfig } from './config.ts'

/** Where and how requests are written down. */
export type AccessLogPlan = {
  /** relative to the folder of the Portico file */
  readonly file: string
  readonly format: 'json' | 'combined'
  /** keep the query of targets and referers */
  readonly query: boolean
  /** one of so many requests that went well is written down */
  readonly oneIn: number
  /** begin a new file beyond this size; absent: never */
  readonly rotateOctets?: number
  /** files that were rotated and stay */
  readonly keep: number
}

/** What `log.access` says. */
export function planAccessLog(written: AccessLogConfig | undefined): AccessLogPlan | null {
  if (written === undefined) return null
  if (typeof written === 'string') return { file: written, format: 'json', query: true, oneIn: 1, keep: 5 }
  const { rotate, file, format, query, oneIn, keep } = written
  return { file, format, query, oneIn, keep, ...(rotate === undefined ? {} : { rotateOctets: rotate }) }
}
