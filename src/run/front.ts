import { availableParallelism, hostname } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { clearCounts, createCountMemory } from '#access/connection-counts.ts'
import { createBucketMemory } from '#access/limiters.ts'
import { createCatalogs } from '#bucket/catalogs.ts'
import { createDescriptors } from '#core/descriptors.ts'
import type { Log } from '#core/log.ts'
import { compileZones, type Zones } from '#dns/zone.ts'
import type { AccessLog } from '#log/record.ts'
import type { BusyKey } from '#metrics/busiest.ts'
import type { Sample } from '#metrics/sample.ts'
import type { ListenerPlan } from '#plan/listeners.ts'
import type { Plan } from '#plan/plan.ts'
import { createSupervisor, type Supervisor } from '#processes/supervisor.ts'
import { type Authority, openAuthority } from '#tls/authority.ts'
import {
  type CertificateKeeper,
  type CertificateKeeperOptions,
  createCertificateKeeper,
} from '#tls/keeper.ts'
import { createTicketKeys } from '#tls/ticket-keys.ts'
import { readPassedSockets } from './passed-sockets.ts'
import { holderOf } from './port-holder.ts'
import { loadSerials } from './serials.ts'
import { shareLimits } from './share-limits.ts'
import type { DataSlice, MainProcedures, SharedMemory, WorkerSetup } from './slice.ts'
import { joinSnapshots, type Snapshot } from './snapshot.ts'
import { createSockets } from './sockets.ts'
import { createWorkers, type WorkerState } from './workers.ts'

/** What the main thread has of one Plan: everything but the serving, which the workers do. */
export type Front = {
  readonly plan: Plan
  readonly authority: Authority
  readonly certificates: CertificateKeeper
  readonly processes: Supervisor
  /** zones as the workers answer from them; compiled when asked for */
  readonly zones: Zones
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
  /** Another program has moved the access log away: go on in a new file. */
  reopenLog(): void
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

/** Often enough that a key of tickets outlives its time by little, also when a laptop slept meanwhile. */
const TICKET_KEYS_EVERY_MS = 60_000

/**
 * Start everything that a Plan asks for.
 *
 * @throws {Error} when a listener cannot be opened or state cannot be read; nothing is left open
 */
export async function createFront(options: FrontOptions): Promise<Front> {
  const { folder, stateFolder, log, output } = options
  const { authority, certificates } = await openTls(options, (id, issued) =>
    workers.tell('certificate', { id, issued }),
  )
  const serials = await loadSerials(stateFolder)
  const descriptors = createDescriptors()
  const count = options.plan.workers ?? defaultWorkers()
  const shared: SharedMemory = { buckets: createBucketMemory(), connections: createCountMemory(count) }
  const ticketKeys = createTicketKeys(() => plan.tls.limits.sessionTimeoutMs, Date.now)
  const onPort = (): void => workers.tell('ports', processes.ports())
  const processes = createSupervisor({ folder, log, output, holderOf, onPort })
  const buckets = createCatalogs(Date.now)
  const passed = await readPassedSockets()
  const sockets = createSockets({ descriptors, workers: count, passed, holderOf, log })
  const workers = createWorkers({
    setups: Array.from({ length: count }, (_, worker) =>
      setupOf(options, { worker, workers: count, shared }),
    ),
    procedures: {
      ...writers(options),
      certificate: certificates.obtain,
      checked: (check) => workers.tell('checked', check),
      bucket: buckets.apply,
    },
    log,
    loaded: options.loaded,
    onDeath(worker) {
      clearCounts(shared.connections, worker)
      buckets.unlockAllOf(worker)
    },
  })
  const timer = setInterval(renewTicketKey, TICKET_KEYS_EVERY_MS).unref()
  let plan = options.plan
  let ticketKey = ticketKeys.current()
  let zones: Zones | undefined
  let zoneSerials: ReadonlyMap<string, number> = new Map()

  function renewTicketKey(): void {
    if (ticketKey === ticketKeys.current()) return
    ticketKey = ticketKeys.current()
    workers.tell('ticketKey', ticketKey)
  }

  async function prepare(next: Plan): Promise<() => void> {
    const { dns, http, tls, observe } = next
    const nextSerials = await serials.advance(dns.zones)
    const preparedCertificates = await certificates.prepare(tls)
    const preparedSockets = await sockets.prepare(next.listeners)
    const sliceOf = (worker: number): DataSlice => ({
      dns: { ...dns, limits: shareLimits(dns.limits, count) },
      http: { ...http, limits: shareLimits(http.limits, count) },
      tls,
      observe,
      listeners: preparedSockets.slices(worker),
      serials: nextSerials,
      certificates: preparedCertificates.first(),
      ports: processes.ports(),
      ticketKey,
    })
    const preparedWorkers = await workers.prepare(sliceOf).catch((error: unknown) => {
      preparedSockets.abort()
      throw error
    })
    return () => {
      if (next.workers !== plan.workers) log('warning', 'the number of workers changes at the next start')
      plan = next
      zones = undefined
      zoneSerials = nextSerials
      preparedCertificates.commit()
      preparedWorkers.commit()
      preparedSockets.commit()
      processes.replace(next.processes)
    }
  }

  async function stop(deadlineMs: number): Promise<void> {
    clearInterval(timer)
    sockets.close()
    await workers.stop(deadlineMs)
    buckets.close()
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
    processes,
    get plan() {
      return plan
    },
    get zones() {
      zones ??= compileZones(plan.dns.zones, zoneSerials)
      return zones
    },
    listeners: () => sockets.slices(0),
    workers: workers.states,
    endWorker: workers.end,
    snapshots: () => workers.askAll('snapshot'),
    snapshot: async () => joinSnapshots(await workers.askAll('snapshot')),
    samples: () => workers.askAll('samples'),
    busyClients: () => workers.askAll('busyClients'),
    reopenLog: () => workers.tell('reopenLog', null),
    prepare,
    stop,
  }
}

/** Who issues certificates, and keeps them. */
async function openTls(
  { plan, stateFolder, log }: FrontOptions,
  publish: CertificateKeeperOptions['publish'],
): Promise<{ authority: Authority; certificates: CertificateKeeper }> {
  const folder = join(stateFolder, 'tls')
  const authority = await openAuthority({ folder, host: hostname(), now: Date.now(), log })
  const issuers = { local: authority }
  const certificates = createCertificateKeeper({ plan: plan.tls, issuers, now: Date.now, log, publish })
  return { authority, certificates }
}

/** Where what workers say goes. */
function writers({ log, accessLog }: FrontOptions): Pick<MainProcedures, 'log' | 'access'> {
  const write: AccessLog = accessLog ?? (() => {})
  return {
    log(records) {
      for (const { level, event, fields } of records) log(level, event, fields)
    },
    access: (records) => records.forEach(write),
  }
}

/** One a core, where several threads can share a port. */
function defaultWorkers(): number {
  return process.platform === 'linux' ? availableParallelism() : 1
}

function setupOf(
  { folder, accessLog }: FrontOptions,
  rest: Pick<WorkerSetup, 'worker' | 'workers' | 'shared'>,
): WorkerSetup {
  return { folder, tellsRequests: accessLog !== null, ...rest }
}
