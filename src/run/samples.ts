import type { monitorEventLoopDelay } from 'node:perf_hooks'
import type { CacheCounts } from '#cache/counts.ts'
import type { CacheStats } from '#cache/store/store.ts'
import type { Signing } from '#dns/dnssec/signer.ts'
import type { DnsServer } from '#dns/server.ts'
import type { Origins } from '#http/origin/origins.ts'
import type { OriginState } from '#http/origin/pool.ts'
import type { HttpServer } from '#http/server.ts'
import { summarize } from '#http/transfer.ts'
import type { FilmMemory } from '#media/film-memory.ts'
import type { Sessions } from '#media/sessions.ts'
import type { FamilyName } from '#metrics/families.ts'
import type { RouteCounts } from '#metrics/route-counts.ts'
import { mergeSamples, type Sample } from '#metrics/sample.ts'

/** The servers of one data plane, each of which counts for itself. */
export type DataPlane = {
  readonly http: HttpServer
  readonly dns: DnsServer
  readonly signatures: Signing['counts']
  readonly origins: Origins
  readonly cacheCounts: Readonly<CacheCounts>
  readonly sessions: Sessions
  readonly filmMemory: FilmMemory
}

export type Observed = {
  readonly counts: RouteCounts
  readonly worker: string
  readonly delay: ReturnType<typeof monitorEventLoopDelay>
  readonly delayResolutionMs: number
  /** origins with series of their own */
  readonly limitOrigins: number
  readonly droppedLines: number
  readonly droppedSpans: number
}

/** What one data plane has counted. */
export function dataPlaneSamples(plane: DataPlane, observed: Observed): Sample[] {
  const { http, dns, signatures, origins, cacheCounts, sessions, filmMemory } = plane
  const { counts, droppedLines, droppedSpans } = observed
  return [
    ...counts.samples(),
    ...httpSamples(http, counts),
    ...originSamples(origins.states(), observed),
    ...dnsSamples(dns),
    one('portico_dnssec_signatures', signatures.made, 'made'),
    one('portico_dnssec_signatures', signatures.heldBack, 'held back'),
    ...cacheSamples(cacheCounts),
    ...mediaSamples(sessions),
    one('portico_media_index_bytes', filmMemory.octets),
    one('portico_access_log_dropped_lines', droppedLines),
    one('portico_trace_dropped_spans', droppedSpans),
    ...threadSamples(observed),
  ]
}

function one(family: FamilyName, value: Sample['value'], ...labels: string[]): Sample {
  return { family, labels, value }
}

function httpSamples(
  { stats, openConnections, transfers }: HttpServer,
  { begun, ended }: RouteCounts,
): Sample[] {
  const { full, resumed, failed } = stats.handshakes
  const { count, paused, aheadOctets } = summarize(transfers())
  const answered = stats.byClass.reduce((sum, count) => sum + count, 0)
  return [
    one('portico_http_unread_requests', Math.max(0, answered - ended)),
    one('portico_http_requests_in_flight', begun - ended),
    one('portico_http_transfers', count),
    one('portico_http_paused_transfers', paused),
    one('portico_http_ahead_bytes', aheadOctets),
    one('portico_http_connections', openConnections()),
    one('portico_http_connections_accepted', stats.accepted),
    one('portico_http_connections_refused', stats.turnedAway),
    one('portico_http_read_bytes', stats.receivedOctets),
    one('portico_http2_streams', stats.http2Requests),
    one('portico_tls_handshakes', full, 'full'),
    one('portico_tls_handshakes', resumed, 'resumed'),
    one('portico_tls_handshakes', failed, 'failed'),
  ]
}

/** Origins beyond the limit are counted together as `other`. */
function originSamples(states: readonly OriginState[], { limitOrigins, worker }: Observed): Sample[] {
  return mergeSamples(
    states.map((state, i): Sample[] => {
      const origin = i < limitOrigins ? state.id.replace('origin:', '') : 'other'
      return [
        one('portico_origin_requests', state.requests, origin),
        one('portico_origin_failures', state.failures, origin),
        one('portico_origin_retries', state.retries, origin),
        one('portico_origin_response_seconds', state.durations, origin),
        one('portico_origin_connects', state.connects, origin),
        one('portico_origin_connect_failures', state.connectFailures, origin),
        one('portico_origin_connections', state.open - state.idle, origin, 'busy'),
        one('portico_origin_connections', state.idle, origin, 'idle'),
        one('portico_origin_waiting_requests', state.waiting, origin),
        one('portico_origin_up', state.isDown ? 0 : 1, origin, worker),
        one('portico_origin_circuit_open', state.isCircuitOpen ? 1 : 0, origin, worker),
      ]
    }),
  )
}

function dnsSamples(dns: DnsServer): Sample[] {
  const { dropped, truncated, tcpConnections } = dns.stats()
  return [
    ...dns.counts().map(({ transport, by, name, count }) => {
      return one(by === 'type' ? 'portico_dns_queries' : 'portico_dns_responses', count, transport, name)
    }),
    one('portico_dns_dropped_queries', dropped),
    one('portico_dns_truncated_responses', truncated),
    one('portico_dns_tcp_connections', tcpConnections),
  ]
}

function cacheSamples({
  hits,
  stale,
  collapsed,
  misses,
  passed,
  fetches,
  savedOctets,
}: CacheCounts): Sample[] {
  return [
    one('portico_cache_requests', hits, 'hit'),
    one('portico_cache_requests', stale, 'stale'),
    one('portico_cache_requests', misses, 'miss'),
    one('portico_cache_requests', collapsed, 'collapsed'),
    one('portico_cache_requests', passed, 'passed'),
    one('portico_cache_fetches', fetches),
    one('portico_cache_saved_bytes', savedOctets),
  ]
}

function mediaSamples({ counts, list }: Sessions): Sample[] {
  const sessions = list(Date.now())
  return [
    one('portico_media_sessions', sessions.filter(({ isStarving }) => !isStarving).length, 'playing'),
    one('portico_media_sessions', sessions.filter(({ isStarving }) => isStarving).length, 'starving'),
    one('portico_media_starved_requests', counts.starved),
    one('portico_media_rendered_objects', counts.rendered),
    one('portico_media_rendered_ahead', counts.ahead),
  ]
}

/** What the store of all caches holds. */
export function storeSamples({ objects, memory, disk, evictions, purged }: CacheStats): Sample[] {
  return [
    one('portico_cache_objects', objects),
    one('portico_cache_bytes', memory.octets, 'memory'),
    one('portico_cache_budget_bytes', memory.budgetOctets, 'memory'),
    ...(disk === null ? [] : [one('portico_cache_bytes', disk.octets, 'disk')]),
    ...(disk === null ? [] : [one('portico_cache_budget_bytes', disk.budgetOctets, 'disk')]),
    ...(disk === null ? [] : [one('portico_cache_disk_up', disk.isOn ? 1 : 0)]),
    one('portico_cache_evictions', evictions),
    one('portico_cache_purged', purged),
    one('portico_cache_reads', memory.hits, 'memory'),
    ...(disk === null ? [] : [one('portico_cache_reads', disk.hits, 'disk')]),
  ]
}

/** Delays are of so much time: a look begins anew when there are more. */
const STRETCH_MS = 10_000

function threadSamples({ worker, delay, delayResolutionMs }: Observed): Sample[] {
  const seconds = (nanoseconds: number): number => {
    return Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e9 - delayResolutionMs / 1000) : 0
  }
  const family = 'portico_event_loop_delay_seconds'
  const samples = [
    one(family, seconds(delay.percentile(50)), worker, '0.5'),
    one(family, seconds(delay.percentile(99)), worker, '0.99'),
    one(family, delay.count === 0 ? 0 : seconds(delay.max), worker, '1'),
    one('portico_heap_bytes', process.memoryUsage().heapUsed, worker),
  ]
  if (delay.count * delayResolutionMs > STRETCH_MS) delay.reset()
  return samples
}
