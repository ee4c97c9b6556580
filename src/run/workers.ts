import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { messageOf } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { connect, type Remote, Unanswered } from './rpc.ts'
import type { DataSlice, ListenerSlice, MainProcedures, WorkerProcedures, WorkerSetup } from './slice.ts'

/** The threads that serve. Each that dies is replaced, while the others go on. */
export type Workers = {
  /**
   * Prepare a slice on all workers. When one cannot, none has changed.
   *
   * @param sliceOf what each of them, by its number, is to serve; also what one that takes its place later gets
   * @throws {Error} of the worker that could not
   */
  prepare(sliceOf: (worker: number) => DataSlice): Promise<PreparedWorkers>
  /** Tell all workers that serve; those that start later have it in their slice. */
  tell: Remote<WorkerProcedures>['tell']
  /** Ask all workers that serve; those that do not answer in time are left out. */
  askAll<Name extends Question>(name: Name): Promise<Awaited<ReturnType<WorkerProcedures[Name]>>[]>
  /** Ask any worker that serves. @throws {Error} when none does, or it gives no answer */
  askOne<Name extends Task>(
    name: Name,
    value: Parameters<WorkerProcedures[Name]>[0],
    timeoutMs: number,
  ): Promise<Awaited<ReturnType<WorkerProcedures[Name]>>>
  /** Ask one of them. @throws {Error} when it gives no answer */
  ask<Name extends Errand>(
    worker: number,
    name: Name,
    value: Parameters<WorkerProcedures[Name]>[0],
  ): Promise<Awaited<ReturnType<WorkerProcedures[Name]>>>
  states(): WorkerState[]
  /** End one at once, as if it had died. */
  end(worker: number): void
  /** Stop all; requests under way may finish until the deadline. With 0 nobody is waited for. */
  stop(deadlineMs: number): Promise<void>
}

/** What all workers can be asked, without changing anything. */
type Question = 'snapshot' | 'samples' | 'busyClients' | 'verdicts' | 'transfers' | 'sessions' | 'viewers'

/** What one worker does for all. */
type Task = 'warm'

/** What is one worker's to do. */
type Errand = 'feed'

export type PreparedWorkers = { commit(): void; abort(): void }

/** For `portico status`. */
export type WorkerState = {
  readonly worker: number
  readonly state: 'starting' | 'serving' | 'waiting to restart' | 'stopped'
  readonly restarts: number
  /** why the last one ended; null while none has */
  readonly lastEnd: string | null
}

export type WorkersOptions = {
  /** one for each worker */
  readonly setups: readonly WorkerSetup[]
  readonly procedures: MainProcedures
  readonly log: Log
  /** Called when a worker has died, to free what it held in shared memory. */
  readonly onDeath: (worker: number) => void
  /** of `loadWorker`: the first one, which was loaded while there was no Plan yet */
  readonly loaded?: Worker
  /** the module that the threads run */
  readonly entry?: URL
  /** how often each is asked whether it is there, and for how long an answer is waited for */
  readonly ping?: { readonly everyMs: number; readonly timeoutMs: number }
}

type Thread = {
  readonly worker: Worker
  readonly remote: Remote<WorkerProcedures>
  /** why it ended */
  readonly ended: Promise<string>
  isAlive: boolean
}

type Slot = {
  readonly setup: WorkerSetup
  thread: Thread
  state: WorkerState['state']
  restarts: number
  lastEnd: string | null
  servesSince: number
  pauseMs: number
  /** a thread that takes the place of another one is given what it is to serve */
  beginning: Promise<void>
}

/** Loading takes a fifth of a second, compiling a million names eight on an idle core, and many times that on a busy one. */
const PREPARE_MS = 180_000
/** Who does not answer for 10 s serves nobody. */
const PING = { everyMs: 2000, timeoutMs: 10_000 }
const ASK_MS = 2000
/** A disk that is busy with other things may take long. */
const ERRAND_MS = 60_000
/** Beyond the deadline, to close what is left. */
const STOP_MS = 2000
/** Who has served for so long did not fail to start: the next one comes at once. */
const STEADY_MS = 500
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000

const DATA_WORKER = new URL('./data-worker.ts', import.meta.url)

/** Start a thread, which loads its modules; `createWorkers` gives it something to do. */
export function loadWorker(entry: URL = DATA_WORKER): Worker {
  return new Worker(entry, { name: 'portico' })
}

/** Start the threads; they serve when a slice was committed. */
export function createWorkers(options: WorkersOptions): Workers {
  const { setups, procedures, log, onDeath, entry, ping = PING } = options
  const stopping = new AbortController()
  /** what is served; null before the first commit */
  let current: ((worker: number) => DataSlice) | null = null
  /** settled while no slice is being prepared: meanwhile nobody takes another's place */
  let gate: Promise<void> = Promise.resolve()
  let isPreparing = false
  let adopting: Promise<unknown> | null = null
  const slots = setups.map(createSlot)
  const timer = setInterval(pingAll, ping.everyMs).unref()

  function createSlot(setup: WorkerSetup): Slot {
    const slot: Slot = {
      setup,
      thread: startThread(setup, setup.worker === 0 ? options.loaded : undefined),
      state: 'starting',
      restarts: 0,
      lastEnd: null,
      servesSince: Number.POSITIVE_INFINITY,
      pauseMs: FIRST_PAUSE_MS,
      beginning: Promise.resolve(),
    }
    void keepRunning(slot)
    return slot
  }

  function startThread(setup: WorkerSetup, worker = loadWorker(entry)): Thread {
    const remote = connect<WorkerProcedures>(worker, procedures)
    const { promise: ended, resolve } = Promise.withResolvers<string>()
    const thread: Thread = { worker, remote, ended, isAlive: true }
    let why = ''
    worker.on('error', (error: Error) => (why = error.stack ?? error.message))
    worker.on('exit', (code) => {
      thread.isAlive = false
      const words = why === '' ? `it ended with code ${code}` : why
      remote.end(words)
      resolve(words)
    })
    remote.tell('start', setup)
    return thread
  }

  async function keepRunning(slot: Slot): Promise<void> {
    while (!stopping.signal.aborted) {
      slot.lastEnd = await slot.thread.ended
      if (stopping.signal.aborted) return
      onDeath(slot.setup.worker)
      const restartMs = pauseOf(slot)
      log('error', 'worker ended', { worker: slot.setup.worker, why: slot.lastEnd, restartMs })
      slot.state = 'waiting to restart'
      shareOut()
      if (restartMs > 0) await pause(restartMs, undefined, { ref: false })
      await gate
      if (stopping.signal.aborted) return
      slot.restarts++
      slot.state = 'starting'
      slot.thread = startThread(slot.setup)
      slot.beginning = begin(slot)
    }
  }

  /** Give a new thread what the others serve. */
  async function begin(slot: Slot): Promise<void> {
    const { thread, setup } = slot
    if (current === null) return
    try {
      await thread.remote.call('prepare', current(setup.worker), PREPARE_MS)
      serve(slot)
      shareOut()
    } catch (error) {
      // Of one that died it is said elsewhere.
      if (thread.isAlive)
        log('error', 'worker not started', { worker: setup.worker, error: messageOf(error) })
      await thread.worker.terminate()
    }
  }

  function serve(slot: Slot): void {
    slot.thread.remote.tell('commit', null)
    slot.state = 'serving'
    slot.servesSince = performance.now()
  }

  /** What comes for workers that do not serve is taken by one that does, until they do. */
  function shareOut(): void {
    const orphans = slots.filter(({ state }) => state !== 'serving')
    if (current === null || isPreparing || (orphans.length === 0 && adopting === null)) return
    const [heir, ...others] = alive().filter(({ state }) => state === 'serving')
    for (const { thread } of others) thread.remote.tell('adopt', [])
    const listeners = orphans.flatMap(({ setup }) => listenersOf(current!(setup.worker), setup.worker))
    const adopted = heir?.thread.remote.call('adopt', listeners).catch(() => {})
    adopting = orphans.length === 0 ? null : (adopted ?? null)
  }

  async function prepare(sliceOf: (worker: number) => DataSlice): Promise<PreparedWorkers> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const open = (): void => {
      isPreparing = false
      shareOut()
      resolve()
    }
    gate = promise
    isPreparing = true
    await Promise.all([adopting, ...slots.map(({ beginning }) => beginning)])
    const asked = slots.filter(({ thread }) => thread.isAlive)
    const threads = asked.map(({ thread }) => thread)
    const answers = await Promise.allSettled(
      asked.map(({ thread, setup }) => thread.remote.call('prepare', sliceOf(setup.worker), PREPARE_MS)),
    )
    const abort = (): void => {
      for (const { remote } of threads) remote.tell('abort', null)
      open()
    }
    const failures = answers.map((answer) => (answer.status === 'rejected' ? (answer.reason as Error) : null))
    failures.forEach((failure, i) => {
      // It is replaced, and its successor asked when it begins.
      if (failure instanceof Unanswered) void threads[i]!.worker.terminate()
    })
    const failure = failures.find((error) => error !== null && !(error instanceof Unanswered))
    if (failure != null || failures.every((error) => error !== null)) {
      abort()
      throw failure ?? failures[0] ?? new Error('No worker runs.')
    }
    const prepared = asked.filter((_, i) => failures[i] === null)
    const commit = (): void => {
      current = sliceOf
      for (const slot of prepared) if (slot.thread.isAlive) serve(slot)
      open()
    }
    return { commit, abort }
  }

  function alive(): Slot[] {
    return slots.filter(({ thread }) => thread.isAlive)
  }

  function pingAll(): void {
    for (const { thread, state } of alive()) {
      // Who prepares a slice says so when it is done, and has a time of its own for that.
      const end = (): void => void (isPreparing || thread.worker.terminate())
      if (state === 'serving') thread.remote.call('ping', null, ping.timeoutMs).catch(end)
    }
  }

  return {
    prepare,
    tell(name, value) {
      for (const { thread } of alive()) thread.remote.tell(name, value)
    },
    async askAll(name) {
      const serving = alive().filter(({ state }) => state === 'serving')
      const asked = serving.map(({ thread }) => thread.remote.call(name, null, ASK_MS))
      const answers = await Promise.allSettled(asked)
      return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    },
    askOne(name, value, timeoutMs) {
      const serving = alive().find(({ state }) => state === 'serving')
      if (serving === undefined) return Promise.reject(new Error('No worker serves at the moment.'))
      return serving.thread.remote.call(name, value, timeoutMs)
    },
    ask: (worker, name, value) => slots[worker]!.thread.remote.call(name, value, ERRAND_MS),
    states: () =>
      slots.map(({ setup, state, restarts, lastEnd }) => ({
        worker: setup.worker,
        state,
        restarts,
        lastEnd,
      })),
    end: (worker) => void slots[worker]?.thread.worker.terminate(),
    async stop(deadlineMs) {
      stopping.abort()
      clearInterval(timer)
      await Promise.all(
        slots.map(async (slot) => {
          const { remote, worker } = slot.thread
          slot.state = 'stopped'
          await remote.call('stop', deadlineMs, deadlineMs + STOP_MS).catch(() => {})
          await worker.terminate()
        }),
      )
    },
  }
}

/** Of a worker that does not serve: only sockets that the main thread keeps can be taken over. */
function listenersOf({ listeners }: DataSlice, worker: number): ListenerSlice[] {
  return listeners
    .filter(({ sockets }) => sockets !== null)
    .map((listener) => ({ ...listener, id: `${listener.id} of worker ${worker}` }))
}

/** How long to wait before the next one: not at all after one that served, else longer each time. */
function pauseOf(slot: Slot): number {
  if (performance.now() - slot.servesSince >= STEADY_MS) slot.pauseMs = 0
  const { pauseMs } = slot
  slot.servesSince = Number.POSITIVE_INFINITY
  slot.pauseMs = Math.min(Math.max(2 * pauseMs, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
  return pauseMs
}
