import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import type { Log } from '#core/log.ts'
import { createDnsServer, type DnsServer } from '#dns/server.ts'
import { compileZones, createZones } from '#dns/zone.ts'
import { createFiles } from '#files/serve.ts'
import type { Handler } from '#http/exchange.ts'
import { createForward, type ForwardOptions } from '#http/forward.ts'
import { createOrigins, type Origins } from '#http/origin/origins.ts'
import type { HttpPlan, RoutePlan } from '#http/plan.ts'
import { createRedirect } from '#http/redirect.ts'
import { createRespond } from '#http/respond.ts'
import { createRouter, type Router } from '#http/router.ts'
import { createHttpServer, type HttpServer } from '#http/server.ts'
import type { OriginPlan } from '#http/service-plan.ts'
import { createTrust } from '#http/trust.ts'
import type { Plan } from '#plan/plan.ts'
import { createSupervisor, type Supervisor } from '#processes/supervisor.ts'
import { type Authority, openAuthority } from '#tls/authority.ts'
import { createHandshake } from '#tls/handshake.ts'
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
  /**
   * Prepare another Plan: open sockets, compile. When it throws, nothing has happened.
   *
   * @returns commits it in one tick, and cannot fail
   */
  prepare(plan: Plan): Promise<() => void>
  /** Stop: listeners first, then requests under way until the deadline, then processes. */
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

/** Our name in Via (RFC 9110 §7.6.3). */
const PSEUDONYM = 'portico'

/**
 * Start everything that a Plan asks for.
 *
 * @throws {Error} when a listener cannot be opened or state cannot be read; nothing is left open
 */
export async function createFront(options: FrontOptions): Promise<Front> {
  const { folder, stateFolder, log, accessLog } = options
  const authority = await openAuthority({
    folder: join(stateFolder, 'tls'),
    host: hostname(),
    now: Date.now(),
    log,
  })
  const serials = await loadSerials(stateFolder)
  const certificates = createCertificateStore({
    plan: options.plan.tls,
    issuers: { local: authority },
    now: Date.now,
    log,
  })
  const processes = createSupervisor({ folder, log, output: options.output, holderOf })
  const origins = createOrigins({
    limits: options.plan.http.limits,
    portOf: (id) => processes.portOf(id),
    folder,
  })
  const handshake = createHandshake({ store: certificates, now: Date.now, log })
  const dns = createDnsServer({ zones: createZones([]), limits: options.plan.dns.limits, log })
  const http = createHttpServer({ limits: options.plan.http.limits, handler: () => {}, log })
  const listeners = createListeners({ dns, http, handshake, holderOf, log })
  const forwarding = { origins, pseudonym: PSEUDONYM, isTrusted: (_address: string): boolean => false }
  let plan = options.plan
  let router: Router | undefined
  let zones = createZones([])

  function createHandler(route: RoutePlan): Handler {
    return handlerOf(route, { folder, forwarding, log })
  }

  async function prepare(next: Plan): Promise<() => void> {
    const nextZones = compileZones(next.dns.zones, await serials.advance(next.dns.zones), zones)
    const nextRouter = createRouter(next.http, createHandler, router)
    const commitCertificates = certificates.prepare(next.tls)
    const commitListeners = await listeners.prepare(next.listeners)
    const isTrusted = createTrust(next.http.trust)
    const handle = logged(nextRouter.handle, accessLog)
    return () => {
      plan = next
      zones = nextZones
      router = nextRouter
      forwarding.isTrusted = isTrusted
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
    await processes.stop()
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
