import { basename } from 'node:path'
import type { CacheCounts } from '#cache/counts.ts'
import type { CacheStats } from '#cache/store/store.ts'
import type { OriginState } from '#http/origin/pool.ts'
import type { ActionPlan, HostPlan, RoutePlan } from '#http/plan.ts'
import { type ListenerPlan, printSocket } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import type { ProcessState } from '#processes/process.ts'
import type { Portico } from './portico.ts'

/** What `portico status` shows; plain JSON. */
export type Status = {
  readonly pid: number
  readonly startedAt: string
  readonly file: string | null
  readonly plan: string
  readonly root: string
  readonly listeners: readonly { readonly protocol: string; readonly socket: string }[]
  readonly hosts: readonly HostRow[]
  readonly processes: readonly ProcessState[]
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
}

/** A line of the table: a host, what it leads to, and how that is doing. */
export type HostRow = { readonly url: string; readonly leadsTo: string; readonly state: string }

/** Gather what `portico status` shows. */
export function statusOf(portico: Portico): Status {
  const { front, lastReload } = portico
  const { http, dns, plan } = front
  const { accepted: _accepted, turnedAway: _turnedAway, ...counts } = http.stats
  const { queries, dropped, truncated, rcodes } = dns.stats()
  return {
    pid: process.pid,
    startedAt: portico.startedAt.toISOString(),
    file: portico.file,
    plan: plan.key,
    root: front.authority.root.path,
    listeners: front.listeners
      .open()
      .map(({ protocol, address, port }) => ({ protocol, socket: printSocket(address, port) })),
    hosts: hostRows(portico),
    processes: front.processes.states(),
    origins: front.origins.states(),
    reload: {
      at: lastReload.at.toISOString(),
      ok: lastReload.ok,
      message: lastReload.message,
      problems: lastReload.problems.length,
    },
    http: { connections: http.openConnections(), ...counts },
    cache: front.store === null ? null : { ...front.cacheCounts, ...front.store.stats() },
    dns: { queries, dropped, truncated, rcodes },
  }
}

/**
 * One row for each route. On a laptop the `.localhost` names, which browsers find.
 *
 * @param probed what `probeOrigins` found, for origins that no request has asked yet
 */
export function hostRows(
  { front, facts }: Portico,
  probed: ReadonlyMap<string, string> = new Map(),
): HostRow[] {
  const states = new Map(front.origins.states().map((state) => [state.id, state]))
  const processes = new Map(front.processes.states().map((state) => [state.id, state]))
  return shownHosts(front.plan, facts.dev).flatMap((host) => {
    return host.routes.map((route) => {
      return {
        url: urlOf(host, route, front.plan),
        leadsTo: leadsTo(route.action),
        state: stateOf(route.action),
      }
    })
  })

  function stateOf(action: ActionPlan): string {
    if (action.kind !== 'service') return 'ready'
    const process = processes.get(action.processId ?? '')
    if (process !== undefined && process.port === null)
      return process.lastEnd === null ? process.state : `${process.state}: ${process.lastEnd}`
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
    case 'redirect':
      return `${action.status} to ${action.to}`
    case 'respond':
      return `answers ${action.status}`
  }
}
