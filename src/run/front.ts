import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { clearCounts, createCountMemory } from '#access/connection-counts.ts'
import { createBucketMemory } from '#access/limiters.ts'
import type { Keeper } from '#acme/keeper.ts'
import type { Shown } from '#acme/present.ts'
import { createCatalogs } from '#bucket/store/catalogs.ts'
import type { CacheStore } from '#cache/store/store.ts'
import type { Verdict } from '#cache/verdicts.ts'
import { createDescriptors } from '#core/descriptors.ts'
import type { Log } from '#core/log.ts'
import { liveOf } from '#http/plan.ts'
import { joinTransfers, type Transfers } from '#http/transfer.ts'
import type { AccessLog } from '#log/record.ts'
import { createRegisters, type Registers, type RegistersOptions } from '#media/live/registers.ts'
import type { LiveStatus } from '#media/live/status.ts'
import { countViewers } from '#media/live/view/viewers.ts'
import { joinSessions, type Session } from '#media/sessions.ts'
import type { BusyKey } from '#metrics/busiest.ts'
import type { Sample } from '#metrics/sample.ts'
import type { ListenerPlan } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import { createSupervisor, type Supervisor } from '#processes/supervisor.ts'
import { type FrontDns, openFrontDns } from '#run/dns/front.ts'
import { readPassedSockets } from '#run/listen/passed-sockets.ts'
import { holderOf } from '#run/listen/port-holder.ts'
import { createSockets, type Sockets } from '#run/listen/sockets.ts'
import { type FrontTls, openFrontTls } from '#run/tls/front.ts'
import type { Authority } from '#tls/authority.ts'
import type { CertificateKeeper } from '#tls/keeper.ts'
import type { Warmed } from './cache-control.ts'
import { createFrontCache, storeNumber } from './front-cache.ts'
import { shareLimits } from './share-limits.ts'
import type { DataSlice, MainProcedures, SharedMemory, WorkerSetup } from './slice.ts'
import { joinSnapshots, type Snapshot } from './snapshot.ts'
import { createWorkers, type WorkerState, type Workers } from './workers.ts'

/** What the main thread has of one Plan: everything but the serving, which the workers do. */
export type Front = {
  readonly plan: Plan
  readonly authority: Authority
  readonly certificates: CertificateKeeper
  /** certificates of authorities over ACME */
  readonly keeper: Keeper
  readonly processes: Supervisor
  /** zones as they are at this moment, and what is known of them */
  readonly dns: FrontDns
  /** what is listened on, with the ports that were found for 0 */
  listeners(): readonly ListenerPlan[]
  workers(): WorkerState[]
  /** End a worker at once, as if it had died; another one takes its place. */
  endWorker(worker: number): void
  /** What each worker has counted since it began. */
  snapshots(): Promise<Snapshot[]>
  /** What all of them together have. */
  snapshot(): Promise<Snapshot>
  /** The series of each worker. */
  samples(): Promise<Sample[][]>
  /** Who asked each worker most since the last call. */
  busyClients(): Promise<BusyKey[][]>
  /** why caches did not keep what came last, by key */
  verdicts(): Promise<[string, Verdict][]>
  /** responses under way on all workers, and the players that say who they are */
  transfers(): Promise<Transfers & { readonly sessions: readonly Session[] }>
  /** Another program has moved the access log away: go on in a new file. */
  reopenLog(): void
  /** live streams at this moment */
  live(): Promise<LiveStatus>
  /** A broadcast as it is at this moment; undefined when there is none. */
  readonly liveStream: Registers['find']
  /** where routes keep responses; null while none does */
  readonly store: CacheStore | null
  /** Ask for a URL as a client would; the query of `cache warm`. */
  warm(query: string): Promise<Warmed>
  /**
   * Prepare another Plan on all workers: open sockets, compile. When it throws, nothing has happened.
   *
   * @returns commits it in one tick, and cannot fail
   */
  prepare(plan: Plan): Promise<() => void>
  /** Stop: listeners first, then requests under way until the deadline, then processes; with 0 nobody is waited for. */
  stop(deadlineMs: number): Promise<void>
}

export type FrontOptions = {
  readonly plan: Plan
  /** folder of the file: relative paths start here */
  readonly folder: string
  readonly stateFolder: string
  readonly log: Log
  /** gets each record, beside the file of the Plan */
  readonly accessLog: AccessLog | null
  /** a line of a process's output */
  readonly output: (name: string, line: string) => void
  /** the first of the threads that serve */
  readonly loaded: Worker
}

/** A large file comes from its origin as a whole. */
const WARM_MS = 600_000

/**
 * Start everything that a Plan asks for.
 *
 * @throws {Error} when a listener cannot be opened or state cannot be read; nothing is left open
 */
export async function createFront(options: FrontOptions): Promise<Front> {
  const { folder, stateFolder, log, output } = options
  let plan = options.plan
  let shown: Shown = { texts: [], tokens: {}, digests: {} }
  const count = options.plan.workers ?? defaultWorkers()
  const dns = await openFrontDns({
    ...{ folder, stateFolder, workers: count, log },
    publish: (news) => workers.tell('zones', news),
    onOverlay: (overlay) => workers.tell('dnsOverlay', overlay),
    onCookieKeys: (keys) => workers.tell('cookieKeys', keys),
  })
  const tls = await openFrontTls({
    ...options,
    served: () => ({ plan, zones: () => dns.zones }),
    show,
    onRenewal: (id, issued) => workers.tell('certificate', { id, issued }),
    onGrant: (slice) => workers.tell('tls', slice),
    onTicketKey: (key) => workers.tell('ticketKey', key),
  })
  const shared: SharedMemory = { buckets: createBucketMemory(), connections: createCountMemory(count) }
  const processes = createSupervisor({ folder, log, output, holderOf, onPort: tellPorts })
  const buckets = createCatalogs(Date.now)
  const live = createRegisters({ ...{ folder, now: Date.now, log }, ...liveWays(() => workers) })
  const cache = createFrontCache(options)
  const sockets = await openSockets(count, log)
  const workers = createWorkers({
    setups: setupsOf(options, count, shared),
    procedures: {
      ...proceduresOf(options, { tls, dns, buckets, live }),
      checked: (check) => workers.tell('checked', check),
    },
    log,
    loaded: options.loaded,
    onDeath: forget,
  })

  /** Take out what a worker that died held of what all share. */
  function forget(worker: number): void {
    clearCounts(shared.connections, worker)
    cache.store?.forgetWorker(storeNumber(worker))
    buckets.unlockAllOf(worker)
    live.forgetWorker(worker)
  }

  function show(next: Shown): void {
    shown = next
    dns.show(shown.texts)
    workers.tell('shown', shown)
  }

  function tellPorts(): void {
    workers.tell('ports', processes.ports())
  }

  async function prepare(next: Plan): Promise<() => void> {
    const { http, observe } = next
    const preparedTls = await tls.prepare(next)
    const preparedSockets = await sockets.prepare(next.listeners)
    const preparedDns = await dns.prepare(next.dns).catch((error: unknown) => {
      preparedSockets.abort()
      throw error
    })
    const sliceOf = (worker: number): DataSlice => ({
      ...preparedDns.part(),
      http: { ...http, limits: shareLimits(http.limits, count) },
      ...tls.sliceOf(next),
      observe,
      listeners: preparedSockets.slices(worker),
      certificates: preparedTls.first(),
      ports: processes.ports(),
      ticketKey: tls.ticketKey(),
      shown,
      cache: cache.handleFor(next),
    })
    const preparedWorkers = await workers.prepare(sliceOf).catch((error: unknown) => {
      preparedSockets.abort()
      preparedDns.abort()
      throw error
    })
    return () => {
      plan = next
      preparedTls.commit()
      live.replace(liveOf(next.http))
      preparedWorkers.commit()
      preparedSockets.commit()
      preparedDns.commit()
      processes.replace(next.processes)
    }
  }

  async function stop(deadlineMs: number): Promise<void> {
    await tls.close()
    dns.close()
    sockets.close()
    await workers.stop(deadlineMs)
    buckets.close()
    live.close()
    await processes.stop(deadlineMs === 0)
    await cache.store?.close()
  }

  const commit = await prepare(options.plan).catch(async (error: unknown) => {
    await stop(0)
    throw error
  })
  commit()
  return {
    authority: tls.authority,
    certificates: tls.certificates,
    keeper: tls.keeper,
    processes,
    dns,
    get plan() {
      return plan
    },
    listeners: () => sockets.slices(0),
    live: async () => live.status(countViewers((await workers.askAll('viewers')).flat())),
    liveStream: live.find,
    ...questionsTo(workers),
    get store() {
      return cache.store
    },
    prepare,
    stop,
  }
}

type Questions =
  | 'workers'
  | 'transfers'
  | 'endWorker'
  | 'snapshots'
  | 'snapshot'
  | 'samples'
  | 'busyClients'
  | 'verdicts'
  | 'reopenLog'
  | 'warm'

/** What is asked of workers, whatever they serve. */
function questionsTo(workers: Workers): Pick<Front, Questions> {
  return {
    workers: workers.states,
    endWorker: workers.end,
    snapshots: () => workers.askAll('snapshot'),
    snapshot: async () => joinSnapshots(await workers.askAll('snapshot')),
    samples: () => workers.askAll('samples'),
    busyClients: () => workers.askAll('busyClients'),
    verdicts: async () => (await workers.askAll('verdicts')).flat(),
    transfers: async () => ({
      ...joinTransfers(await workers.askAll('transfers')),
      sessions: joinSessions(await workers.askAll('sessions')),
    }),
    reopenLog: () => workers.tell('reopenLog', null),
    warm: (query) => workers.askOne('warm', query, WARM_MS),
  }
}

/** How the registers of live streams reach workers. */
function liveWays(workers: () => Workers): Pick<RegistersOptions, 'tell' | 'feed'> {
  return {
    tell: (told) => workers().tell('live', told),
    feed: (worker, feed) => workers().ask(worker, 'feed', feed),
  }
}

function openSockets(workers: number, log: Log): Promise<Sockets> {
  const descriptors = createDescriptors()
  return readPassedSockets().then((passed) => createSockets({ descriptors, workers, passed, holderOf, log }))
}

type Kept = {
  readonly tls: FrontTls
  readonly dns: FrontDns
  readonly buckets: ReturnType<typeof createCatalogs>
  readonly live: Registers
}

/** What workers ask of those who keep something for all, and where what they say goes. */
function proceduresOf(
  { log, accessLog }: FrontOptions,
  { tls, dns, buckets, live }: Kept,
): Omit<MainProcedures, 'checked'> {
  return {
    certificate: tls.certificates.obtain,
    grant: tls.ask,
    errand: dns.ask,
    errandMore: dns.askMore,
    bucket: buckets.apply,
    live: live.ask,
    log(records) {
      for (const { level, event, fields } of records) log(level, event, fields)
    },
    access(records) {
      if (accessLog !== null) records.forEach(accessLog)
    },
  }
}

/** One a core, where several threads can share a port. */
function defaultWorkers(): number {
  return process.platform === 'linux' ? availableParallelism() : 1
}

function setupsOf(
  { folder, accessLog }: FrontOptions,
  workers: number,
  shared: SharedMemory,
): readonly WorkerSetup[] {
  const tellsRequests = accessLog !== null
  return Array.from({ length: workers }, (_, worker) => ({ folder, tellsRequests, worker, workers, shared }))
}
