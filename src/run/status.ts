import { basename } from 'node:path'
import type { CacheCounts } from '#cache/counts.ts'
import type { CacheStats } from '#cache/store/store.ts'
import type { OriginState } from '#http/origin/pool.ts'
import type { ActionPlan, HostPlan, RoutePlan } from '#http/plan.ts'
import type { LiveStatus } from '#media/live/status.ts'
import { type Traffic, trafficOf } from '#metrics/traffic.ts'
import { type ListenerPlan, printSocket } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import type { ProcessState } from '#processes/process.ts'
import { type CertificateRow, certificateRows } from '#run/tls/certificate-rows.ts'
import type { Front } from './front.ts'
import { metricsOf } from './metrics.ts'
import type { Portico } from './portico.ts'
import type { Snapshot } from './snapshot.ts'
import type { WorkerState } from './workers.ts'

/** What `portico status` shows; plain JSON. */
export type Status = {
  /** when this was so: ISO 8601 */
  readonly at: string
  readonly pid: number
  readonly startedAt: string
  readonly file: string | null
  readonly plan: string
  readonly root: string
  readonly listeners: readonly { readonly protocol: string; readonly socket: string }[]
  readonly hosts: readonly HostRow[]
  readonly certificates: readonly CertificateRow[]
  readonly processes: readonly ProcessState[]
  /** the threads that serve */
  readonly workers: readonly WorkerState[]
  /** how each origin is doing, and why it is left out if it is */
  readonly origins: readonly OriginState[]
  readonly reload: {
    readonly at: string
    readonly ok: boolean
    readonly message: string
    readonly problems: number
  }
  readonly http: {
    readonly connections: number
    readonly requests: number
    readonly byClass: readonly number[]
    readonly sentOctets: number
    readonly receivedOctets: number
  }
  /** null: no route has a cache */
  readonly cache: (CacheCounts & CacheStats) | null
  readonly dns: {
    readonly queries: number
    readonly dropped: number
    readonly truncated: number
    readonly rcodes: readonly number[]
  }
  readonly live: LiveStatus
  /** sums since the start; two looks give rates */
  readonly traffic: Traffic
}

/** A line of the table: a host, what it leads to, and how that is doing. */
export type HostRow = {
  readonly url: string
  readonly host: string
  readonly pattern: string
  readonly leadsTo: string
  readonly state: string
}

/** Gather what `portico status` shows. */
export async function statusOf(portico: Portico): Promise<Status> {
  const { front, lastReload } = portico
  const { plan } = front
  const { http, dns, origins, cache } = await front.snapshot()
  const { queries, dropped, truncated, rcodes } = dns
  return {
    at: new Date().toISOString(),
    pid: process.pid,
    startedAt: portico.startedAt.toISOString(),
    file: portico.file,
    plan: plan.key,
    root: front.authority.root.path,
    listeners: front
      .listeners()
      .map(({ protocol, address, port }) => ({ protocol, socket: printSocket(address, port) })),
    hosts: hostRows(portico, origins),
    certificates: certificateRows(front),
    processes: front.processes.states(),
    workers: front.workers(),
    origins: withPrograms(front, origins),
    reload: {
      at: lastReload.at.toISOString(),
      ok: lastReload.ok,
      message: lastReload.message,
      problems: lastReload.problems.length,
    },
    http,
    cache: front.store === null ? null : { ...cache, ...front.store.stats() },
    dns: { queries, dropped, truncated, rcodes },
    live: await front.live(),
    traffic: trafficOf(await metricsOf(portico)),
  }
}

/** An origin that is a program of ours is down while that program does not answer, though nobody has asked it. */
function withPrograms({ plan, processes }: Front, origins: Snapshot['origins']): Snapshot['origins'] {
  const silent = new Map<string, string>()
  const states = new Map(processes.states().map((state) => [state.id, state]))
  for (const { action } of plan.http.hosts.flatMap(({ routes }) => routes)) {
    if (action.kind !== 'service') continue
    const program = states.get(action.processId ?? '')
    if (program === undefined || program.port !== null) continue
    for (const { id } of action.origins) silent.set(id, sayProgram(program))
  }
  return origins.map((origin) => {
    const why = silent.get(origin.id)
    return why === undefined ? origin : { ...origin, isDown: true, why }
  })
}

/** What a program does that does not answer. */
function sayProgram({ state, lastEnd }: ProcessState): string {
  return lastEnd === null ? state : `${state}: ${lastEnd}`
}

/**
 * One row for each route. On a laptop the `.localhost` names, which browsers find.
 *
 * @param origins what the workers know of them
 * @param probed what `probeOrigins` found, for origins that no request has asked yet
 */
export function hostRows(
  { front, facts }: Portico,
  origins: Snapshot['origins'],
  probed: ReadonlyMap<string, string> = new Map(),
): HostRow[] {
  const states = new Map(origins.map((state) => [state.id, state]))
  const processes = new Map(front.processes.states().map((state) => [state.id, state]))
  return shownHosts(front.plan, facts.dev).flatMap((host) => {
    return host.routes.map((route) => {
      return {
        url: urlOf(host, route, front.plan),
        host: host.name,
        pattern: route.pattern,
        leadsTo: leadsTo(route.action),
        state: stateOf(route.action),
      }
    })
  })

  function stateOf(action: ActionPlan): string {
    if (action.kind !== 'service') return 'ready'
    const process = processes.get(action.processId ?? '')
    if (process !== undefined && process.port === null) return sayProgram(process)
    const down = action.origins.map(({ id }) => states.get(id)).filter((state) => state?.isDown === true)
    if (down.length > 0) return `${down.length} of ${action.origins.length} down: ${down[0]!.why}`
    const used = action.origins.some(({ id }) => (states.get(id)?.connects ?? 0) > 0)
    return used ? 'answers' : (probed.get(action.origins[0]?.id ?? '') ?? 'not asked yet')
  }
}

function shownHosts(plan: Plan, dev: boolean): readonly HostPlan[] {
  return dev ? plan.http.hosts.filter(({ name }) => name.endsWith('.localhost')) : plan.http.hosts
}

/** What a person types into a browser to reach a route; the pattern stands in for the path. */
export function urlOf(host: HostPlan, route: RoutePlan, plan: Plan): string {
  const https = plan.listeners.find(({ protocol }) => protocol === 'https')
  const http = plan.listeners.find(({ protocol }) => protocol === 'http')
  const listener = https ?? http
  const scheme = https === undefined ? 'http' : 'https'
  const path = route.pattern === '/**' ? '/' : route.pattern
  return `${scheme}://${host.name}${portSuffix(listener, scheme)}${path}`
}

function portSuffix(listener: ListenerPlan | undefined, scheme: string): string {
  const usual = scheme === 'https' ? 443 : 80
  return listener === undefined || listener.port === usual ? '' : `:${listener.port}`
}

/** What a route leads to, in a few words. */
export function leadsTo(action: ActionPlan): string {
  switch (action.kind) {
    case 'service':
      if (action.processId !== null) return `process ${action.processId.replace('process:', '')}`
      return action.origins.map(({ id }) => id.replace('origin:', '')).join(', ')
    case 'files':
      return `files in ${basename(action.root) === action.root ? `./${action.root}` : action.root}`
    case 'bucket':
      return `bucket in ${basename(action.root) === action.root ? `./${action.root}` : action.root}`
    case 'live':
      return `live streams in ${basename(action.root) === action.root ? `./${action.root}` : action.root}`
    case 'redirect':
      return `${action.status} to ${action.to}`
    case 'dns':
      return 'DNS over HTTPS'
    case 'respond':
      return `answers ${action.status}`
  }
}
