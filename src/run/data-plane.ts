import { resolve } from 'node:path'
import { createConnectionCounts } from '#access/connection-counts.ts'
import { createGuard, type GuardOptions } from '#access/guard.ts'
import { createLimiters } from '#access/limiters.ts'
import { limitMemory } from '#access/memory-budget.ts'
import { createPasswordVerifier } from '#access/password.ts'
import type { Apply } from '#bucket/change.ts'
import { createBucket } from '#bucket/serve.ts'
import { createDescriptors } from '#core/descriptors.ts'
import type { Log } from '#core/log.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones, createZones } from '#dns/zone.ts'
import { createFiles } from '#files/serve.ts'
import type { Handler } from '#http/exchange.ts'
import { createForward, type ForwardOptions } from '#http/forward.ts'
import { createOrigins, type OriginCheck } from '#http/origin/origins.ts'
import { type HostPlan, type HttpPlan, originsOf, type RoutePlan } from '#http/plan.ts'
import { createRedirect } from '#http/redirect.ts'
import { createRespond } from '#http/respond.ts'
import { createRouter, type Router } from '#http/router.ts'
import { createHttpServer } from '#http/server.ts'
import { transformRequests, transformResponses } from '#http/transform/transformed.ts'
import { createTrust } from '#http/trust.ts'
import type { AccessLog } from '#log/record.ts'
import type { BusyKey } from '#metrics/busiest.ts'
import type { Sample } from '#metrics/sample.ts'
import type { ObservePlan } from '#plan/observe.ts'
import { createHandshake } from '#tls/handshake.ts'
import type { Issued } from '#tls/issuer.ts'
import { createCertificateStore } from '#tls/store.ts'
import { createListeners } from './listeners.ts'
import { createObservation } from './observe.ts'
import type { DataSlice, ListenerSlice, ProcessPorts, WorkerSetup } from './slice.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'

/** What one thread serves of a Plan. */
export type DataPlane = {
  /**
   * Prepare a slice: open sockets, compile. When it throws, nothing has happened.
   *
   * @returns `commit` puts it to use in one tick and cannot fail; `abort` forgets it
   */
  prepare(slice: DataSlice): Promise<PreparedSlice>
  /** Listen on these, too, and no longer on what was adopted before and is not among them. */
  adopt(listeners: readonly ListenerSlice[]): Promise<void>
  setPorts(ports: ProcessPorts): void
  renewCertificate(id: string, issued: Issued): void
  setTicketKey(key: Uint8Array): void
  told(check: OriginCheck): void
  snapshot(): Snapshot
  samples(): Sample[]
  busyClients(): BusyKey[]
  reopenLog(): void
  /** Listeners first, then requests under way until the deadline. */
  stop(deadlineMs: number): Promise<void>
}

export type PreparedSlice = { commit(): void; abort(): void }

export type DataPlaneOptions = {
  /** what its limits are until a slice is put to use */
  readonly first: DataSlice
  readonly setup: WorkerSetup
  readonly log: Log
  readonly accessLog: AccessLog | null
  /** Ask for the certificate of a node of the Plan. */
  readonly certificate: (id: string) => Promise<Issued | null>
  readonly onCheck: (check: OriginCheck) => void
  /** Ask the writer of a bucket for a change. */
  readonly applyToBucket: Apply
}

/** Milliseconds that never go back, and are the same on all threads. */
const startedMs = hrtimeMs() - performance.now()
const now = (): number => performance.now() + startedMs
const resident = (): number => process.memoryUsage.rss()

/** Our name in Via (RFC 9110 §7.6.3). */
const PSEUDONYM = 'portico'

/** Create the servers of one thread; they serve when a slice was committed. */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { first, log, accessLog } = options
  const { worker, workers, folder, shared } = options.setup
  const isTrusted = (address: string): boolean => forwarding.isTrusted(address)
  const observation = createObservation({ folder, log, accessLog, isTrusted, worker: `${worker}` })
  const { certificates, handshake, setTicketKey } = createTls(options)
  let ports: ProcessPorts = new Map()
  const origins = createOrigins({
    limits: first.http.limits,
    portOf: (id) => ports.get(id) ?? null,
    folder,
    checks: worker === 0,
    onCheck: options.onCheck,
  })
  const dns = createDnsServer({ zones: createZones([]), limits: first.dns.limits, log })
  const counts = createConnectionCounts(isTrusted, shared.connections, worker)
  const limiters = createLimiters({ isTrusted, now, memory: shared.buckets })
  const { mayConnect } = counts
  const http = createHttpServer({ limits: first.http.limits, handler: () => {}, log, mayConnect })
  const descriptors = createDescriptors()
  const listeners = createListeners({ dns, http, handshake, descriptors, workers })
  const adopted = createListeners({ dns, http, handshake, descriptors, workers })
  let adopting: Promise<void> = Promise.resolve()
  const forwarding = { origins, pseudonym: PSEUDONYM, isTrusted: (_address: string): boolean => false }
  const guarding: GuardOptions = { isTrusted, passwords: createPasswordVerifier(now), now, log }
  let served = first.http
  let router: Router | undefined
  let zones = createZones([])

  function createHandler(route: RoutePlan): Handler {
    const handler = transformRequests(
      handlerOf(route, { folder, forwarding, log, apply: options.applyToBucket, worker }),
      route.transform,
    )
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

  async function prepare(next: DataSlice): Promise<PreparedSlice> {
    ports = next.ports
    setTicketKey(next.ticketKey)
    const nextZones = compileZones(next.dns.zones, next.serials, zones)
    const nextRouter = createRouter(next.http, createHandler, router, createRefusal)
    const commitCertificates = certificates.prepare(next.tls, next.certificates)
    const observed = await observation.prepare({
      http: next.http,
      observe: rotatedByOne(next.observe, worker),
    })
    const prepared = await listeners.prepare(next.listeners).catch((error: unknown) => {
      observed.abort()
      throw error
    })
    const isNextTrusted = createTrust(next.http.trust)
    const handle = observed.observe(withinLimits(next.http, nextRouter.handle))
    const commit = (): void => {
      served = next.http
      zones = nextZones
      router = nextRouter
      forwarding.isTrusted = isNextTrusted
      counts.limit = next.http.clientConnections ?? null
      dns.replaceZones(zones, next.dns.limits)
      commitCertificates()
      observed.commit()
      http.commit(handle, next.http.limits)
      prepared.commit()
      origins.keep(originsOf(next.http), next.http.limits)
    }
    const abort = (): void => {
      prepared.abort()
      observed.abort()
      origins.keep(originsOf(served), served.limits)
    }
    return { commit, abort }
  }

  function adopt(slices: readonly ListenerSlice[]): Promise<void> {
    adopting = adopting
      .then(async () => (await adopted.prepare(slices)).commit())
      .catch((error: unknown) => log('warning', 'listeners not adopted', { error: String(error) }))
    return adopting
  }

  return {
    prepare,
    adopt,
    setPorts: (next) => (ports = next),
    renewCertificate: certificates.renew,
    setTicketKey,
    told: origins.told,
    snapshot: () => snapshotOf({ http, dns, origins }),
    samples: () => observation.samples({ http, dns, origins }),
    busyClients: observation.takeBusyClients,
    reopenLog: observation.reopenLog,
    async stop(deadlineMs) {
      await Promise.all([listeners.retire(), adopted.retire()])
      await Promise.all([http.close(deadlineMs), dns.close()])
      origins.close()
      await observation.close()
    },
  }
}

/** One worker begins a new file of the access log when it is large; the others follow it. */
function rotatedByOne(plan: ObservePlan, worker: number): ObservePlan {
  if (worker === 0 || plan.accessLog === null) return plan
  const { rotateOctets: _, ...accessLog } = plan.accessLog
  return { ...plan, accessLog }
}

/** Everything that handshakes need. */
function createTls({ first, log, certificate }: DataPlaneOptions) {
  let ticketKey = Buffer.from(first.ticketKey)
  const main = { issue: ({ id }: { readonly id: string }): Promise<Issued | null> => certificate(id) }
  const certificates = createCertificateStore({
    plan: first.tls,
    issuers: { local: main },
    now: Date.now,
    log,
  })
  const ticketKeys = { current: () => ticketKey }
  const handshake = createHandshake({ store: certificates, log, ticketKeys, protocols: ['h2', 'http/1.1'] })
  const setTicketKey = (key: Uint8Array): void => {
    ticketKey = Buffer.from(key)
  }
  return { certificates, handshake, setTicketKey }
}

function handlerOf(
  { action }: RoutePlan,
  {
    forwarding,
    ...options
  }: { folder: string; forwarding: ForwardOptions; log: Log; apply: Apply; worker: number },
): Handler {
  switch (action.kind) {
    case 'service':
      return createForward(action, forwarding)
    case 'files':
      return createFiles({ ...action, root: resolve(options.folder, action.root) }, options)
    case 'bucket':
      return createBucket(action, { ...options, now: Date.now })
    case 'redirect':
      return createRedirect(action)
    case 'respond':
      return createRespond(action)
  }
}

function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
