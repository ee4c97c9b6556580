import { resolve } from 'node:path'
import { createConnectionCounts } from '#access/connection-counts.ts'
import { createGuard, type GuardOptions } from '#access/guard.ts'
import { createLimiters } from '#access/limiters.ts'
import { limitMemory } from '#access/memory-budget.ts'
import { createPasswordVerifier } from '#access/password.ts'
import type { Shown } from '#acme/present.ts'
import { answerTokens } from '#acme/token-handler.ts'
import { createBucket } from '#bucket/serve.ts'
import type { Apply } from '#bucket/store/change.ts'
import { createCounts } from '#cache/counts.ts'
import { createCache } from '#cache/handler.ts'
import { openStore } from '#cache/store/open-store.ts'
import type { CacheStore } from '#cache/store/store.ts'
import { createDescriptors } from '#core/descriptors.ts'
import type { Log } from '#core/log.ts'
import { createDnsOverHttps } from '#dns/over-https.ts'
import type { DnsServer } from '#dns/server.ts'
import type { GateOptions } from '#dns/transfer/gate.ts'
import { createFiles } from '#files/serve.ts'
import type { Handler } from '#http/exchange.ts'
import { createForward, type ForwardOptions } from '#http/forward.ts'
import { createOrigins, type OriginCheck } from '#http/origin/origins.ts'
import { type HostPlan, type HttpPlan, originsOf, type RoutePlan } from '#http/plan.ts'
import { createRedirect } from '#http/redirect.ts'
import { createRespond } from '#http/respond.ts'
import { createRouter, type Router } from '#http/router.ts'
import { createHttpServer } from '#http/server.ts'
import { summarize, type Transfers } from '#http/transfer.ts'
import { compressResponses, transformRequests, transformResponses } from '#http/transform/transformed.ts'
import { createTrust } from '#http/trust.ts'
import type { AccessLog } from '#log/record.ts'
import { FilmMemory } from '#media/film-memory.ts'
import type { AskLive } from '#media/live/request.ts'
import { createLive } from '#media/live/serve.ts'
import { createStages, type Stages } from '#media/live/stages.ts'
import { createSessions, type Session } from '#media/sessions.ts'
import { createTurns } from '#media/turns.ts'
import type { BusyKey } from '#metrics/busiest.ts'
import type { Sample } from '#metrics/sample.ts'
import type { ObservePlan } from '#plan/observe.ts'
import { createDnsPlane, type DnsPlane } from '#run/dns/plane.ts'
import { createListeners } from '#run/listen/listeners.ts'
import { createHandshake } from '#tls/handshake.ts'
import type { Issued } from '#tls/issuer.ts'
import { createCertificateStore } from '#tls/store.ts'
import { type Warmed, warmByQuery } from './cache-control.ts'
import { storeNumber } from './front-cache.ts'
import { createObservation } from './observe.ts'
import type { DataSlice, ListenerSlice, ProcessPorts, TlsSlice, WorkerSetup } from './slice.ts'
import { type Snapshot, snapshotOf } from './snapshot.ts'
import { streamed } from './streams.ts'

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
  setTls(slice: TlsSlice): void
  show(shown: Shown): void
  setTicketKey(key: Uint8Array): void
  /** what is told of DNS */
  readonly dns: Pick<DnsPlane, 'server' | 'setOverlay' | 'replaceZones'>
  told(check: OriginCheck): void
  /** what happens to live streams */
  readonly live: Pick<Stages, 'told' | 'feed' | 'viewers'>
  snapshot(): Snapshot
  samples(): Sample[]
  busyClients(): BusyKey[]
  /** responses under way */
  transfers(): Transfers
  /** players that say who they are */
  sessions(): Session[]
  reopenLog(): void
  /** Ask for a URL as a client would. */
  warm(query: string): Promise<Warmed>
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
  /** Ask for a certificate of a name that none has. */
  readonly grant: (name: string) => Promise<boolean>
  readonly onCheck: (check: OriginCheck) => void
  /** Ask the writer of a bucket for a change. */
  readonly applyToBucket: Apply
  /** Ask what is on air. */
  readonly askLive: AskLive
  /** what the main thread answers of DNS */
  readonly errands: Pick<GateOptions, 'ask' | 'askMore'>
}

/** Milliseconds that never go back, and are the same on all threads. */
const startedMs = hrtimeMs() - performance.now()
const now = (): number => performance.now() + startedMs
const resident = (): number => process.memoryUsage.rss()

/** Reads of films at a time on one thread; each holds a few MiB. */
const READS = 32
/** Indexes of films in the memory of one thread, as a part of the memory of all caches: forty films of two hours. */
const FILMS_SHARE = 1 / 4

/** Our name in Via (RFC 9110 §7.6.3). */
const PSEUDONYM = 'portico'

/** Create the servers of one thread; they serve when a slice was committed. */
export function createDataPlane(options: DataPlaneOptions): DataPlane {
  const { first, log, accessLog, onCheck } = options
  const { worker, workers, folder, shared } = options.setup
  const isTrusted = (address: string): boolean => forwarding.isTrusted(address)
  const observation = createObservation({ folder, log, accessLog, isTrusted, worker: `${worker}` })
  const dnsPlane = createDnsPlane({ first, log, now, errands: options.errands })
  const { server: dns, signatures } = dnsPlane
  const tls = createTls(options, { digests: () => shown.digests, dnsName: dnsPlane.name })
  const { certificates, handshake, dnsHandshake, setTicketKey } = tls
  let ports: ProcessPorts = new Map()
  const portOf = (id: string): number | null => ports.get(id) ?? null
  const origins = createOrigins({ limits: first.http.limits, folder, portOf, checks: worker === 0, onCheck })
  const counts = createConnectionCounts(isTrusted, shared.connections, worker)
  const limiters = createLimiters({ isTrusted, now, memory: shared.buckets })
  const { mayConnect } = counts
  const http = createHttpServer({ limits: first.http.limits, handler: () => {}, log, mayConnect })
  const descriptors = createDescriptors()
  const serving = { dns, http, handshake, dnsHandshake, descriptors, workers }
  const listeners = createListeners(serving)
  const adopted = createListeners(serving)
  let adopting: Promise<void> = Promise.resolve()
  const forwarding = { origins, pseudonym: PSEUDONYM, isTrusted: (_address: string): boolean => false }
  const guarding: GuardOptions = { isTrusted, passwords: createPasswordVerifier(now), now, log }
  let served = first.http
  let router: Router | undefined
  let store: CacheStore | null = null
  const cacheCounts = createCounts()
  const films = new FilmMemory(0)
  const streaming = { monotonic: now, sessions: createSessions(), turns: createTurns(READS), memory: films }
  const stages = createStages(worker, options.askLive)
  let { shown } = first

  function createHandler(route: RoutePlan): Handler {
    const plain = cached(
      route,
      transformRequests(
        handlerOf(route, { folder, forwarding, log, dns, apply: options.applyToBucket, stages, worker }),
        route.transform,
      ),
    )
    const cache = store && { store, now: Date.now, log, counts: cacheCounts }
    const handler = cache === null ? plain : streamed(route, plain, { folder, cache, ...streaming })
    const guarded = route.access === undefined ? handler : createGuard(route.access, guarding, handler)
    const limited = route.rate === undefined ? guarded : limiters.limit(route.rate, guarded)
    // Outermost, so that refusals get the owner's pages too.
    return transformResponses(limited, route.transform, { folder, log })
  }

  /** What a route keeps is what passed its guard, compressed already where the route says so. */
  function cached({ cache, transform }: RoutePlan, handler: Handler): Handler {
    if (cache === undefined || store === null) return handler
    const compressing = compressResponses(handler, transform)
    return createCache(cache, { store, now: Date.now, log, counts: cacheCounts }, compressing)
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
    shown = next.shown
    setTicketKey(next.ticketKey)
    const commitDns = dnsPlane.prepare(next)
    if (next.cache !== null && store === null) {
      store = openStore(next.cache, { worker: storeNumber(worker), log })
      films.limitOctets = next.cache.shape.budgetOctets * FILMS_SHARE
    }
    const nextRouter = createRouter(next.http, createHandler, router, createRefusal)
    const commitCertificates = certificates.prepare(next.tls, next.clientRoots, next.certificates)
    const observed = await observation.prepare({
      http: next.http,
      observe: rotatedByOne(next.observe, worker),
    })
    const prepared = await listeners.prepare(next.listeners).catch((error: unknown) => {
      observed.abort()
      throw error
    })
    const isNextTrusted = createTrust(next.http.trust)
    const limited = withinLimits(next.http, nextRouter.handle)
    const handle = observed.observe(answerTokens(() => shown.tokens, limited))
    const commit = (): void => {
      served = next.http
      router = nextRouter
      forwarding.isTrusted = isNextTrusted
      counts.limit = next.http.clientConnections ?? null
      commitDns()
      commitCertificates()
      // A client that sends no name cannot wait for a certificate.
      certificates.contextNow(dnsPlane.name())
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
    setTls: ({ tls, clientRoots }) => certificates.prepare(tls, clientRoots)(),
    show(next) {
      shown = next
      dnsPlane.show(shown.texts)
    },
    setTicketKey,
    dns: dnsPlane,
    told: origins.told,
    live: stages,
    snapshot: () => snapshotOf({ http, dns, origins, cacheCounts }),
    samples: () => observation.samples({ http, dns, signatures, origins, cacheCounts, films, ...streaming }),
    busyClients: observation.takeBusyClients,
    transfers: () => summarize(http.transfers()),
    sessions: () => streaming.sessions.list(Date.now()),
    reopenLog: observation.reopenLog,
    warm: (query) => warmByQuery(router!.handle, new URLSearchParams(query)),
    async stop(deadlineMs) {
      await Promise.all([listeners.retire(), adopted.retire()])
      await Promise.all([http.close(deadlineMs), dnsPlane.close()])
      origins.close()
      await observation.close()
      await store?.close()
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
function createTls(
  { first, log, certificate, grant }: DataPlaneOptions,
  { digests, dnsName }: { digests: () => Shown['digests']; dnsName: () => string | undefined },
) {
  let ticketKey = Buffer.from(first.ticketKey)
  const main = { issue: ({ id }: { readonly id: string }): Promise<Issued | null> => certificate(id) }
  const certificates = createCertificateStore({
    plan: first.tls,
    clientRoots: first.clientRoots,
    issuers: { local: main, acme: main, files: main },
    now: Date.now,
    log,
  })
  const ticketKeys = { current: () => ticketKey }
  const shared = { store: certificates, now: Date.now, log, ticketKeys, onMiss: grant }
  const handshake = createHandshake({ ...shared, protocols: ['h2', 'http/1.1'], digests })
  const dnsHandshake = createHandshake({ ...shared, nameless: dnsName, protocols: ['dot'] })
  const setTicketKey = (key: Uint8Array): void => {
    ticketKey = Buffer.from(key)
  }
  return { certificates, handshake, dnsHandshake, setTicketKey }
}

type HandlerOptions = {
  readonly folder: string
  readonly forwarding: ForwardOptions
  readonly log: Log
  readonly dns: DnsServer
  readonly apply: Apply
  readonly stages: Stages
  readonly worker: number
}

function handlerOf({ action }: RoutePlan, { forwarding, dns, ...options }: HandlerOptions): Handler {
  switch (action.kind) {
    case 'service':
      return createForward(action, forwarding)
    case 'files':
      return createFiles({ ...action, root: resolve(options.folder, action.root) }, options)
    case 'bucket':
      return createBucket(action, { ...options, now: Date.now })
    case 'live':
      return createLive(action, { ...options, stageOf: options.stages.stageOf })
    case 'redirect':
      return createRedirect(action)
    case 'respond':
      return createRespond(action)
    case 'dns':
      return createDnsOverHttps(dns.answerHttps)
  }
}

function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
