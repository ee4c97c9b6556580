import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { createConnectionCounts } from '#access/connection-counts.ts'
import { createGuard, type GuardOptions } from '#access/guard.ts'
import { createLimiters } from '#access/limiters.ts'
import { limitMemory } from '#access/memory-budget.ts'
import { createPasswordVerifier } from '#access/password.ts'
import type { RatePlan } from '#access/plan.ts'
import type { Keeper } from '#acme/keeper.ts'
import type { Shown } from '#acme/present.ts'
import { answerTokens } from '#acme/token-handler.ts'
import type { Log } from '#core/log.ts'
import { overlayZones } from '#dns/overlay.ts'
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
import { transformRequests, transformResponses } from '#http/transform/transformed.ts'
import { createTrust } from '#http/trust.ts'
import type { Plan } from '#plan/plan.ts'
import { createSupervisor, type Supervisor } from '#processes/supervisor.ts'
import { type Authority, openAuthority } from '#tls/authority.ts'
import { createHandshake, type Handshake, type HandshakeOptions } from '#tls/handshake.ts'
import { type CertificateStore, createCertificateStore } from '#tls/store.ts'
import { type AccessLog, logged } from './access-log.ts'
import { type CertificateKeeping, type CertificateKeepingOptions, keepCertificates } from './certificates.ts'
import { createListeners, type Listeners } from './listeners.ts'
import { holderOf } from './port-holder.ts'
import { loadSerials } from './serials.ts'

/** Every server of one Plan, and what they share. */
export type Front = {
  readonly plan: Plan
  readonly authority: Authority
  readonly certificates: CertificateStore
  readonly keeper: Keeper
  readonly dns: DnsServer
  readonly http: HttpServer
  readonly origins: Origins
  readonly processes: Supervisor
  readonly listeners: Listeners
  readonly router: Router
  readonly zones: Zones
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
  const { authority, keeping, certificates, handshake } = await openTls(options, {
    served: () => ({ plan, zones }),
    show,
    digests: () => shown.digests,
  })
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
  let router: Router | undefined
  let fileZones = createZones([])
  let zones = fileZones
  let zoneSerials: ReadonlyMap<string, number> = new Map()
  let shown: Shown = { texts: [], tokens: {}, digests: {} }

  function createHandler(route: RoutePlan): Handler {
    const handler = transformRequests(handlerOf(route, { folder, forwarding, log }), route.transform)
    const guarded = route.access === undefined ? handler : createGuard(route.access, guarding, handler)
    const limited = route.rate === undefined ? guarded : limiters.limit(route.rate, guarded)
    // Outermost, so that refusals get the owner's pages too.
    return transformResponses(limited, route.transform, { folder, log })
  }

  function createRefusal(host: HostPlan, refuse: Handler): Handler {
    return transformResponses(refuse, host.transform, { folder, log })
  }

  /** What holds for all hosts together stands before the router. */
  function withinLimits({ clientRate, memoryOctets }: HttpPlan, handler: Handler): Handler {
    const rated = clientRate === undefined ? handler : limiters.limit(clientRate, handler)
    return memoryOctets === undefined ? rated : limitMemory(memoryOctets, { resident, now }, rated)
  }

  /** The zones of the file with what authorities look at over them; what no proof concerns is as in the file. */
  function overlay(base: Zones, serialsOf: ReadonlyMap<string, number>): Zones {
    const plans = base.list.map((zone) => zone.plan)
    return shown.texts.length === 0 ? base : compileZones(overlayZones(plans, shown.texts), serialsOf, base)
  }

  function show(next: Shown): void {
    shown = next
    zones = overlay(fileZones, zoneSerials)
    dns.replaceZones(zones)
  }

  async function prepare(next: Plan): Promise<() => void> {
    const nextSerials = await serials.advance(next.dns.zones)
    const nextRouter = createRouter(next.http, createHandler, router, createRefusal)
    const commitCertificates = await keeping.prepare(next.tls)
    const commitListeners = await listeners.prepare(next.listeners)
    const isNextTrusted = createTrust(next.http.trust)
    const limited = withinLimits(next.http, nextRouter.handle)
    const handle = logged(
      answerTokens(() => shown.tokens, limited),
      accessLog,
    )
    const nextZones = compileZones(next.dns.zones, nextSerials, fileZones)
    return () => {
      plan = next
      zoneSerials = nextSerials
      fileZones = nextZones
      zones = overlay(fileZones, zoneSerials)
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
    await keeping.keeper.close()
    await listeners.retire()
    await Promise.all([http.close(deadlineMs), dns.close()])
    origins.close()
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
    keeper: keeping.keeper,
    dns,
    http,
    origins,
    processes,
    listeners,
    get plan() {
      return plan
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

/** Everything that handshakes need. */
async function openTls(
  { plan, folder, stateFolder, log }: FrontOptions,
  {
    digests,
    ...world
  }: Pick<CertificateKeepingOptions, 'served' | 'show'> & Required<Pick<HandshakeOptions, 'digests'>>,
): Promise<{
  authority: Authority
  keeping: CertificateKeeping
  certificates: CertificateStore
  handshake: Handshake
}> {
  const root = join(stateFolder, 'tls')
  const authority = await openAuthority({ folder: root, host: hostname(), now: Date.now(), log })
  const publish = (id: string): void => certificates.refresh(id)
  const compile: CertificateKeepingOptions['compile'] = (next, clientRoots) =>
    certificates.prepare({ ...next, clientRoots })
  const keeping = await keepCertificates({ authority, folder, stateFolder, publish, compile, log, ...world })
  const certificates = createCertificateStore({
    plan: plan.tls,
    issuers: keeping.issuers,
    now: Date.now,
    log,
  })
  const protocols = ['h2', 'http/1.1']
  const handshake = createHandshake({
    store: certificates,
    now: Date.now,
    log,
    protocols,
    digests,
    onMiss: keeping.ask,
  })
  return { authority, keeping, certificates, handshake }
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
