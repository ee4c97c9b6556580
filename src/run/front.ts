import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { createConnectionCounts } from '#access/connection-counts.ts'
import { createGuard, type GuardOptions } from '#access/guard.ts'
import { createLimiters } from '#access/limiters.ts'
import { limitMemory } from '#access/memory-budget.ts'
import { createPasswordVerifier } from '#access/password.ts'
import type { RatePlan } from '#access/plan.ts'
import { type CacheCounts, createCounts } from '#cache/counts.ts'
import { createCache } from '#cache/handler.ts'
import { openStore } from '#cache/store/open-store.ts'
import { createStoreMemory } from '#cache/store/shared.ts'
import type { CacheStore } from '#cache/store/store.ts'
import type { Log } from '#core/log.ts'
import { createDnsServer, type DnsServer } from '#dns/server.ts'
import { compileZones, createZones } from '#dns/zone.ts'
import { createFiles } from '#files/serve.ts'
import type { Handler } from '#http/exchange.ts'
import { createForward, type ForwardOptions } from '#http/forward.ts'
import { createOrigins, type Origins } from '#http/origin/origins.ts'
import type { HostPlan, HttpPlan, RoutePlan } from '#http/plan.ts'
import { createRedirect } from '#http/redirect.ts'
import { createRespond } from '#http/respond.ts'
import { createRouter, type Router } from '#http/router.ts'
import { createHttpServer, type HttpServer } from '#http/server.ts'
import type { OriginPlan } from '#http/service-plan.ts'
import { compressResponses, transformRequests, transformResponses } from '#http/transform/transformed.ts'
import { createTrust } from '#http/trust.ts'
import type { Plan } from '#plan/plan.ts'
import { createSupervisor, type Supervisor } from '#processes/supervisor.ts'
import { type Authority, openAuthority } from '#tls/authority.ts'
import { createHandshake, type Handshake } from '#tls/handshake.ts'
import { type CertificateStore, createCertificateStore } from '#tls/store.ts'
import { type AccessLog, logged } from './access-log.ts'
import { createListeners, type Listeners } from './listeners.ts'
import { holderOf } from './port-holder.ts'
import { loadSerials } from './serials.ts'

/** Every server of one Plan, and what they share. */
export type Front = {
  readonly plan: Plan
  readonly authority: Authority
  readonly certificates: CertificateStore
  readonly dns: DnsServer
  readonly http: HttpServer
  readonly origins: Origins
  readonly processes: Supervisor
  readonly listeners: Listeners
  readonly router: Router
  readonly zones: Zones
  /** where routes keep responses; null while none does */
  readonly store: CacheStore | null
  readonly cacheCounts: CacheCounts
  /**
   * Prepare another Plan: open sockets, compile. When it throws, nothing has happened.
   *
   * @returns commits it in one tick, and cannot fail
   */
  prepare(plan: Plan): Promise<() => void>
  /** Stop: listeners first, then requests under way until the deadline, then processes; with 0 nobody is waited for. */
  stop(deadlineMs: number): Promise<void>
}

type Zones = ReturnType<typeof createZones>

export type FrontOptions = {
  readonly plan: Plan
  /** folder of the file: relative paths start here */
  readonly folder: string
  readonly stateFolder: string
  readonly log: Log
  readonly accessLog: AccessLog | null
  /** a line of a process's output */
  readonly output: (name: string, line: string) => void
}

const now = (): number => performance.now()
const resident = (): number => process.memoryUsage.rss()

/** Our name in Via (RFC 9110 §7.6.3). */
const PSEUDONYM = 'portico'

/**
 * Start everything that a Plan asks for.
 *
 * @throws {Error} when a listener cannot be opened or state cannot be read; nothing is left open
 */
export async function createFront(options: FrontOptions): Promise<Front> {
  const { folder, stateFolder, log, accessLog } = options
  const { authority, certificates, handshake } = await openTls(options)
  const serials = await loadSerials(stateFolder)
  const processes = createSupervisor({ folder, log, output: options.output, holderOf })
  const origins = createOrigins({
    limits: options.plan.http.limits,
    portOf: (id) => processes.portOf(id),
    folder,
  })
  const dns = createDnsServer({ zones: createZones([]), limits: options.plan.dns.limits, log })
  const isTrusted = (address: string): boolean => forwarding.isTrusted(address)
  const counts = createConnectionCounts(isTrusted)
  const limiters = createLimiters({ isTrusted, now })
  const { mayConnect } = counts
  const http = createHttpServer({ limits: options.plan.http.limits, handler: () => {}, log, mayConnect })
  const listeners = createListeners({ dns, http, handshake, holderOf, log })
  const forwarding = { origins, pseudonym: PSEUDONYM, isTrusted: (_address: string): boolean => false }
  const passwords = createPasswordVerifier(now)
  const guarding: GuardOptions = { isTrusted, passwords, now, log }
  let plan = options.plan
  let store: CacheStore | null = null
  const cacheCounts = createCounts()
  let router: Router | undefined
  let zones = createZones([])

  function createHandler(route: RoutePlan): Handler {
    const handler = cached(
      route,
      transformRequests(handlerOf(route, { folder, forwarding, log }), route.transform),
    )
    const guarded = route.access === undefined ? handler : createGuard(route.access, guarding, handler)
    const limited = route.rate === undefined ? guarded : limiters.limit(route.rate, guarded)
    // Outermost, so that refusals get the owner's pages too.
    return transformResponses(limited, route.transform, { folder, log })
  }

  /** What a route keeps is what passed its guard, compressed already where the route says so. */
  function cached({ cache, transform }: RoutePlan, handler: Handler): Handler {
    if (cache === undefined || store === null) return handler
    return createCache(
      cache,
      { store, now: Date.now, log, counts: cacheCounts },
      compressResponses(handler, transform),
    )
  }

  function createRefusal(host: HostPlan, refuse: Handler): Handler {
    return transformResponses(refuse, host.transform, { folder, log })
  }

  /** What holds for all hosts together stands before the router. */
  function withinLimits({ clientRate, memoryOctets }: HttpPlan, handler: Handler): Handler {
    const rated = clientRate === undefined ? handler : limiters.limit(clientRate, handler)
    return memoryOctets === undefined ? rated : limitMemory(memoryOctets, { resident, now }, rated)
  }

  async function prepare(next: Plan): Promise<() => void> {
    const nextZones = compileZones(next.dns.zones, await serials.advance(next.dns.zones), zones)
    store ??= openStoreOf(next, options)
    const nextRouter = createRouter(next.http, createHandler, router, createRefusal)
    const commitCertificates = certificates.prepare(next.tls)
    const commitListeners = await listeners.prepare(next.listeners)
    const isNextTrusted = createTrust(next.http.trust)
    const handle = logged(withinLimits(next.http, nextRouter.handle), accessLog)
    return () => {
      plan = next
      zones = nextZones
      router = nextRouter
      forwarding.isTrusted = isNextTrusted
      counts.limit = next.http.clientConnections ?? null
      limiters.keep(ratesOf(next.http))
      dns.replaceZones(zones, next.dns.limits)
      commitCertificates()
      http.commit(handle, next.http.limits)
      commitListeners()
      origins.keep(originsOf(next.http), next.http.limits)
      processes.replace(next.processes)
    }
  }

  async function stop(deadlineMs: number): Promise<void> {
    await listeners.retire()
    await Promise.all([http.close(deadlineMs), dns.close()])
    origins.close()
    await store?.close()
    await processes.stop(deadlineMs === 0)
  }

  const commit = await prepare(options.plan).catch(async (error: unknown) => {
    await stop(0)
    throw error
  })
  commit()
  return {
    authority,
    certificates,
    dns,
    http,
    origins,
    processes,
    listeners,
    cacheCounts,
    get plan() {
      return plan
    },
    get store() {
      return store
    },
    get router() {
      return router!
    },
    get zones() {
      return zones
    },
    prepare,
    stop,
  }
}

/** The first Plan with a cache decides its size: another one counts after a restart. */
function openStoreOf({ cache }: Plan, { folder, stateFolder, log }: FrontOptions): CacheStore | null {
  if (cache === null) return null
  const { disk, memoryOctets: budgetOctets } = cache
  const at =
    disk === null ? null : disk.folder === null ? join(stateFolder, 'cache') : resolve(folder, disk.folder)
  const memory = createStoreMemory({
    budgetOctets,
    ...(disk === null || at === null ? {} : { disk: { folder: at, budgetOctets: disk.octets } }),
  })
  return openStore(memory, { worker: 0, keepsDisk: true, log })
}

/** Everything that handshakes need. */
async function openTls({ plan, stateFolder, log }: FrontOptions): Promise<{
  authority: Authority
  certificates: CertificateStore
  handshake: Handshake
}> {
  const folder = join(stateFolder, 'tls')
  const authority = await openAuthority({ folder, host: hostname(), now: Date.now(), log })
  const issuers = { local: authority }
  const certificates = createCertificateStore({ plan: plan.tls, issuers, now: Date.now, log })
  const protocols = ['h2', 'http/1.1']
  const handshake = createHandshake({ store: certificates, now: Date.now, log, protocols })
  return { authority, certificates, handshake }
}

function handlerOf(
  { action }: RoutePlan,
  { folder, forwarding, log }: { folder: string; forwarding: ForwardOptions; log: Log },
): Handler {
  switch (action.kind) {
    case 'service':
      return createForward(action, forwarding)
    case 'files':
      return createFiles({ ...action, root: resolve(folder, action.root) }, { log })
    case 'redirect':
      return createRedirect(action)
    case 'respond':
      return createRespond(action)
  }
}

/** Every origin that a route leads to; one that several lead to stands several times. */
export function originsOf(plan: HttpPlan): OriginPlan[] {
  return plan.hosts.flatMap(({ routes }) => {
    return routes.flatMap(({ action }) =>
      action.kind === 'service'
        ? [...action.origins, ...(action.fallback === undefined ? [] : [action.fallback])]
        : [],
    )
  })
}

function ratesOf({ hosts, clientRate }: HttpPlan): RatePlan[] {
  const rates = hosts.flatMap(({ routes }) => routes.map(({ rate }) => rate))
  return [...rates, clientRate].filter((rate) => rate !== undefined)
}
