import { addHistograms, type Histogram, quantile, subtractHistogram } from '#core/histogram.ts'
import type { FamilyName } from './families.ts'
import type { Sample } from './sample.ts'

/** What went through one route, or to one origin, since Portico began: plain JSON. */
export type TrafficRow = {
  readonly requests: number
  /** requests without an answer, or with one of 5xx */
  readonly failures: number
  readonly sentOctets: number
  readonly receivedOctets: number
  readonly durations: Histogram
}

/** What `portico status` and `portico top` compute rates of. */
export type Traffic = {
  readonly connections: number
  readonly inFlight: number
  readonly dnsQueries: number
  /** by `host` and `route`, with a space between */
  readonly routes: Readonly<Record<string, TrafficRow>>
  readonly origins: Readonly<Record<string, TrafficRow>>
}

/** What went through between two looks; durations in seconds, undefined when nothing did. */
export type Rate = {
  readonly requestsPerSecond: number
  readonly failuresPerSecond: number
  readonly sentPerSecond: number
  readonly receivedPerSecond: number
  readonly p50Seconds: number | undefined
  readonly p99Seconds: number | undefined
}

/** Sum samples up by route and by origin. */
export function trafficOf(samples: readonly Sample[]): Traffic {
  const routes: Record<string, TrafficRow> = {}
  const origins: Record<string, TrafficRow> = {}
  const add = (table: Record<string, TrafficRow>, key: string, row: Partial<TrafficRow>): void => {
    table[key] = addRows(table[key] ?? NOTHING, { ...NOTHING, ...row })
  }
  for (const { family, labels, value } of samples) {
    const column = COLUMNS[family]
    if (column === undefined) continue
    const [table, key] = family.startsWith('portico_origin')
      ? [origins, labels[0]!]
      : [routes, `${labels[0]} ${labels[1]}`]
    add(table, key, { [column]: value })
    const isFailure = family === 'portico_http_requests' && (labels[2] === '5xx' || labels[2] === 'none')
    if (isFailure && typeof value === 'number') add(table, key, { failures: value })
  }
  return {
    connections: sumOf(samples, 'portico_http_connections'),
    inFlight: sumOf(samples, 'portico_http_requests_in_flight'),
    dnsQueries: sumOf(samples, 'portico_dns_queries'),
    routes,
    origins,
  }
}

const COLUMNS: Readonly<Partial<Record<FamilyName, keyof TrafficRow>>> = {
  portico_http_requests: 'requests',
  portico_http_sent_bytes: 'sentOctets',
  portico_http_received_bytes: 'receivedOctets',
  portico_http_request_duration_seconds: 'durations',
  portico_origin_requests: 'requests',
  portico_origin_failures: 'failures',
  portico_origin_response_seconds: 'durations',
}

const NOTHING: TrafficRow = {
  requests: 0,
  failures: 0,
  sentOctets: 0,
  receivedOctets: 0,
  durations: { buckets: [], sum: 0 },
}

/** All rows as one. */
export function sumRows(rows: Iterable<TrafficRow>): TrafficRow {
  return [...rows].reduce(addRows, NOTHING)
}

/** Rows that share what `keyOf` gives, as one each. */
export function groupRows(
  table: Readonly<Record<string, TrafficRow>>,
  keyOf: (key: string) => string,
): Record<string, TrafficRow> {
  const groups: Record<string, TrafficRow> = {}
  for (const [key, row] of Object.entries(table))
    groups[keyOf(key)] = addRows(groups[keyOf(key)] ?? NOTHING, row)
  return groups
}

/** How fast a row grew; one that began anew grew from nothing. */
export function rateBetween(
  before: TrafficRow | undefined = NOTHING,
  now: TrafficRow = NOTHING,
  seconds: number,
): Rate {
  const durations = subtractHistogram(now.durations, before.durations)
  const rate = (column: 'requests' | 'failures' | 'sentOctets' | 'receivedOctets'): number => {
    const grown = now[column] - before[column]
    return (grown < 0 ? now[column] : grown) / seconds
  }
  return {
    requestsPerSecond: rate('requests'),
    failuresPerSecond: rate('failures'),
    sentPerSecond: rate('sentOctets'),
    receivedPerSecond: rate('receivedOctets'),
    p50Seconds: quantile(durations, 0.5),
    p99Seconds: quantile(durations, 0.99),
  }
}

function addRows(a: TrafficRow, b: TrafficRow): TrafficRow {
  return {
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    sentOctets: a.sentOctets + b.sentOctets,
    receivedOctets: a.receivedOctets + b.receivedOctets,
    durations: b.durations.buckets.length === 0 ? a.durations : addHistograms(b.durations, a.durations),
  }
}

function sumOf(samples: readonly Sample[], family: FamilyName): number {
  return samples.reduce((sum, sample) => {
    return sample.family === family && typeof sample.value === 'number' ? sum + sample.value : sum
  }, 0)
}
