import { type CacheCounts, createCounts } from '#cache/counts.ts'
import { addHistograms } from '#core/histogram.ts'
import type { DnsStats } from '#dns/server.ts'
import type { OriginState } from '#http/origin/pool.ts'
import type { HttpStats } from '#http/stats.ts'
import type { DataPlane } from './samples.ts'

type HttpCounts = Readonly<Pick<HttpStats, 'requests' | 'byClass' | 'receivedOctets' | 'sentOctets'>>

/** What a data worker has counted since it began; plain JSON. */
export type Snapshot = {
  readonly http: HttpCounts & { readonly connections: number }
  readonly dns: Readonly<DnsStats>
  readonly cache: Readonly<CacheCounts>
  /** how each origin is doing, and why it is left out if it is */
  readonly origins: readonly OriginState[]
}

/** Look at what one thread serves. */
export function snapshotOf({
  http,
  dns,
  origins,
  cacheCounts,
}: Omit<DataPlane, 'sessions' | 'signatures' | 'filmMemory'>): Snapshot {
  const { requests, byClass, receivedOctets, sentOctets } = http.stats
  return {
    http: { connections: http.openConnections(), requests, byClass, receivedOctets, sentOctets },
    dns: dns.stats(),
    cache: { ...cacheCounts },
    origins: origins.states(),
  }
}

/** Join what workers have counted: sums, and of origins whatever one of them has found out. */
export function joinSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  const origins = new Map<string, OriginState>()
  for (const state of snapshots.flatMap((snapshot) => snapshot.origins)) {
    const known = origins.get(state.id)
    origins.set(state.id, known === undefined ? state : joinOrigins(known, state))
  }
  return {
    http: addUp(
      snapshots.map(({ http }) => http),
      NO_HTTP,
    ),
    dns: addUp(
      snapshots.map(({ dns }) => dns),
      NO_DNS,
    ),
    cache: addUp(
      snapshots.map(({ cache }) => cache),
      createCounts(),
    ),
    origins: [...origins.values()],
  }
}

const NO_HTTP: Snapshot['http'] = {
  connections: 0,
  requests: 0,
  byClass: [0, 0, 0, 0, 0, 0],
  receivedOctets: 0,
  sentOctets: 0,
}
const NO_DNS: Snapshot['dns'] = {
  queries: 0,
  dropped: 0,
  truncated: 0,
  rcodes: new Array(16).fill(0),
  tcpConnections: 0,
}

type Counts = Readonly<Record<string, number | readonly number[]>>

/** Sums of numbers that have the same name, and of lists place by place. */
function addUp<C extends Counts>(list: readonly C[], none: C): C {
  return list.reduce((sum, counts) => {
    const names = Object.keys(sum) as (keyof C & string)[]
    return Object.fromEntries(names.map((name) => [name, add(sum[name]!, counts[name]!)])) as C
  }, none)
}

function add(a: number | readonly number[], b: number | readonly number[]): number | readonly number[] {
  if (typeof a === 'number' || typeof b === 'number') return Number(a) + Number(b)
  return a.map((value, i) => value + (b[i] ?? 0))
}

/** One that has seen it down knows more than one that has not asked it. */
function joinOrigins(a: OriginState, b: OriginState): OriginState {
  return {
    id: a.id,
    open: a.open + b.open,
    idle: a.idle + b.idle,
    waiting: a.waiting + b.waiting,
    connects: a.connects + b.connects,
    connectFailures: a.connectFailures + b.connectFailures,
    requests: a.requests + b.requests,
    failures: a.failures + b.failures,
    retries: a.retries + b.retries,
    durations: addHistograms(a.durations, b.durations),
    isCircuitOpen: a.isCircuitOpen || b.isCircuitOpen,
    lastFailure: a.lastFailure || b.lastFailure,
    isDown: a.isDown || b.isDown,
    why: a.why || b.why,
    lastCheck: a.lastCheck || b.lastCheck,
  }
}
