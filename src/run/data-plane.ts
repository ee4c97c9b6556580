import { createConnectionCounts } from '#access/connection-counts.ts'
import type { Shown } from '#acme/present.ts'
import { answerTokens } from '#acme/token-handler.ts'
import type { Apply } from '#bucket/store/change.ts'
import { createCounts } from '#cache/counts.ts'
import { openStore } from '#cache/store/open-store.ts'
import type { CacheStore } from '#cache/store/store.ts'
import { type Verdict, Verdicts } from '#cache/verdicts.ts'
import { createDescriptors } from '#core/descriptors.ts'
import type { Log } from '#core/log.ts'
import type { GateOptions } from '#dns/transfer/gate.ts'
import { createOrigins, type OriginCheck } from '#http/origin/origins.ts'
import { originsOf } from '#http/plan.ts'
import { createRouter, type Router } from '#http/router.ts'
import { createHttpServer } from '#http/server.ts'
import { summarize, type Transfers } from '#http/transfer.ts'
import { createTrust } from '#http/trust.ts'
import type { AccessLog } from '#log/record.ts'
import { FilmMemory } from '#media/film-memory.ts'
import type { AskLive } from '#media/live/request.ts'
import { createStages, type Stages } from '#media/live/stages.ts'
import { createSessions, type Session } from '#media/sessions.ts'
import type { BusyKey } from '#metrics/busiest.ts'
import type { Sample } from '#metrics/sample.ts'
import type { ObservePlan } from '#plan/observe.ts'
import { createDnsPlane, type DnsPlane } from '#run/dns/plane.ts'
import { createListeners } from '#run/listen/listeners.ts'
import { createTlsPlane } from '#run/tls/plane.ts'
import type { Issued } from '#tls/issuer.ts'
import { type Warmed, warmByQuery } from './cache-control.ts'
import { storeNumber } from './front-cache.ts'
import { createHandlers } from './handlers.ts'
import { createObservation } from './observe.ts'
import type { DataSlice, ListenerSlice, ProcessPorts, TlsSlice, WorkerSetup } from './slice.ts'
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
  /** why caches did not keep what came last */
  verdicts(): [string, Verdict][]
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
  const tls = createTlsPlane({ ...options, digests: () => shown.digests, dnsName: dnsPlane.name })
  const { certificates, handshake, dnsHandshake, setTicketKey } = tls
  let ports: ProcessPorts = new Map()
  const portOf = (id: string): number | null => ports.get(id) ?? null
  const origins = createOrigins({ limits: first.http.limits, folder, portOf, checks: worker === 0, onCheck })
  const counts = createConnectionCounts(isTrusted, shared.connections, worker)
  const { mayConnect } = counts
  const http = createHttpServer({ limits: first.http.limits, handler: () => {}, log, mayConnect })
  const descriptors = createDescriptors()
  const serving = { dns, http, handshake, dnsHandshake, descriptors, workers }
  const listeners = createListeners(serving)
  const adopted = createListeners(serving)
  let adopting: Promise<void> = Promise.resolve()
  const forwarding = { origins, pseudonym: PSEUDONYM, isTrusted: (_address: string): boolean => false }
  let served = first.http
  let router: Router | undefined
  let store: CacheStore | null = null
  const caching = { cacheCounts: createCounts(), verdicts: new Verdicts() }
  const { cacheCounts } = caching
  const sessions = createSessions()
  const filmMemory = new FilmMemory(0)
  const stages = createStages(worker, options.askLive)
  const handlers = createHandlers({
    ...{ folder, worker, isTrusted, now, log, forwarding, dns, stages, sessions, filmMemory, ...caching },
    memory: shared.buckets,
    apply: options.applyToBucket,
    store: () => store,
  })
  let { shown } = first

  async function prepare(next: DataSlice): Promise<PreparedSlice> {
    ports = next.ports
    shown = next.shown
    setTicketKey(next.ticketKey)
    const commitDns = dnsPlane.prepare(next)
    if (next.cache !== null) {
      store ??= openStore(next.cache, { worker: storeNumber(worker), log })
      filmMemory.limitOctets = next.cache.shape.budgetOctets * FILMS_SHARE
    }
    const nextRouter = createRouter(next.http, handlers.answer, router, handlers.refuse)
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
    const limited = handlers.limit(next.http, nextRouter.handle)
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
    samples: () => observation.samples({ http, dns, signatures, origins, cacheCounts, sessions, filmMemory }),
    busyClients: observation.takeBusyClients,
    verdicts: () => caching.verdicts.list(),
    transfers: () => summarize(http.transfers()),
    sessions: () => sessions.list(Date.now()),
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

function hrtimeMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}
