import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Log } from '#core/log.ts'
import { readLines } from './lines.ts'
import type { ProcessPlan } from './plan.ts'

/** What `status` and `explain` say of a process. */
export type ProcessState = {
  readonly id: string
  readonly name: string
  readonly state: 'starting' | 'running' | 'waiting to restart' | 'stopping'
  readonly pid: number | null
  /** where it answers; null until it does */
  readonly port: number | null
  readonly restarts: number
  /** how it ended last, or why it cannot start */
  readonly lastEnd: string | null
}

/** A program under watch. */
export type RunningProcess = {
  state(): ProcessState
  /** End it: SIGTERM to its group, SIGKILL after a while; resolves when it is gone. */
  stop(): Promise<void>
  /** Wait no longer: SIGKILL to its group. */
  kill(): void
}

export type ProcessOptions = {
  readonly plan: ProcessPlan
  readonly cwd: string
  readonly log: Log
  readonly output: (name: string, line: string) => void
  readonly holderOf: (port: number) => Promise<string | undefined>
  /** it answers on its port, for the first time since it was started last */
  readonly onAnswer: () => void
  /** where it answers has changed */
  readonly onPort: () => void
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000
/** Who ran for so long has not failed to start: the pause begins at the shortest again. */
const STEADY_MS = 10_000
const PROBE_EVERY_MS = 50
const STOP_MS = 10_000

/** Start a program, give it a port, and start it again with growing pauses whenever it ends. */
export function createProcess(options: ProcessOptions): RunningProcess {
  const { plan, log } = options
  let child: ChildProcess | null = null
  let state: ProcessState['state'] = 'starting'
  let port: number | null = null
  let restarts = 0
  let lastEnd: string | null = null
  let pauseMs = FIRST_PAUSE_MS
  let probeTimer: NodeJS.Timeout | undefined
  let restartTimer: NodeJS.Timeout | undefined
  let onGone: (() => void) | undefined

  async function start(): Promise<void> {
    state = 'starting'
    const chosen = await choosePort(plan.port)
    if (state !== 'starting') return
    if (typeof chosen !== 'number') {
      const holder = await options.holderOf(plan.port)
      ended(
        `Cannot give ${plan.name} port ${plan.port}: it is taken${holder === undefined ? '' : ` by ${holder}`}.`,
      )
      return
    }
    const startedAt = performance.now()
    const env = { ...process.env, ...plan.env, PORT: String(chosen) }
    const spawned = spawn(plan.words[0]!, plan.words.slice(1), {
      cwd: options.cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: a shell's children are stopped with it, and Ctrl-C reaches them through us alone.
      detached: true,
    })
    child = spawned
    for (const stream of [spawned.stdout, spawned.stderr])
      readLines(stream, (line) => options.output(plan.name, line))
    spawned.once('error', (error) => {
      if (spawned.pid !== undefined) return
      // Node leaves the pipes of a program that never began open.
      spawned.stdout.destroy()
      spawned.stderr.destroy()
      // The system says ENOENT of the program for a missing folder too.
      const why = existsSync(options.cwd) ? error.message : `there is no folder ${options.cwd}`
      gone(spawned, `Cannot start "${plan.words[0]}": ${why}.`)
    })
    spawned.once('exit', (code, signal) => {
      if (performance.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS
      gone(spawned, signal === null ? `ended with exit code ${code}` : `ended by ${signal}`)
    })
    probe(spawned, chosen)
  }

  /** Ask until the port answers: only then are requests sent there. */
  function probe(probed: ChildProcess, chosen: number): void {
    if (child !== probed || state !== 'starting') return
    const socket = connect(chosen, '127.0.0.1')
    socket.setTimeout(1000, () => socket.destroy())
    socket.once('connect', () => {
      socket.destroy()
      if (child !== probed || state !== 'starting') return
      state = 'running'
      port = chosen
      log('info', 'process answers', { process: plan.name, pid: probed.pid, port: chosen })
      options.onAnswer()
      options.onPort()
    })
    socket.once('error', () => {})
    socket.once('close', () => {
      if (child === probed && port === null)
        probeTimer = setTimeout(() => probe(probed, chosen), PROBE_EVERY_MS)
    })
  }

  function gone(which: ChildProcess, how: string): void {
    if (child === which) ended(how)
  }

  function ended(how: string): void {
    child = null
    port = null
    lastEnd = how
    options.onPort()
    clearTimeout(probeTimer)
    if (state === 'stopping') {
      onGone?.()
      return
    }
    state = 'waiting to restart'
    restarts++
    log('warning', 'process ended', { process: plan.name, how, restartMs: pauseMs })
    restartTimer = setTimeout(() => void start(), pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }

  function stop(): Promise<void> {
    state = 'stopping'
    clearTimeout(probeTimer)
    clearTimeout(restartTimer)
    const running = child
    if (running?.pid === undefined) return Promise.resolve()
    const { pid } = running
    return new Promise((resolve) => {
      const timer = setTimeout(kill, STOP_MS)
      onGone = () => {
        clearTimeout(timer)
        resolve()
      }
      signalGroup(pid, 'SIGTERM')
    })
  }

  function kill(): void {
    if (child?.pid !== undefined) signalGroup(child.pid, 'SIGKILL')
  }

  void start()
  return {
    state: () => ({ id: plan.id, name: plan.name, state, pid: child?.pid ?? null, port, restarts, lastEnd }),
    stop,
    kill,
  }
}

/** A port that nobody holds, or the wanted one when nobody holds that; undefined when somebody does. */
function choosePort(wanted: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen({ port: wanted, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : undefined
      server.close(() => resolve(port))
    })
  })
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // It ended between our look and the signal.
  }
}
