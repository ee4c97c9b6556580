/** What the benches share: a program on one core, rounds in turns, medians. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

// The load generator, and the origin of a proxy, share a core: together they can do more than any of the contenders.
export const SERVER_CORE = 0
export const CLIENT_CORE = 1

/** A program that runs beside us until it is stopped. */
export type Peer = {
  readonly pid: number
  /** what it has said so far, its last 64 KiB */
  output(): string
  /** SIGTERM, then SIGKILL after 2 s; ends when the process is gone */
  stop(): Promise<void>
}

const OUTPUT_LIMIT = 65_536

/**
 * Start a program that may use one core only, or all.
 *
 * @param core number of the core, from 0; on a machine with fewer cores the last one
 * @throws {Error} when the program cannot be started
 * @example const knot = await pin(0, 'knotd', ['-c', file])
 */
export async function pin(core: number | 'all', command: string, args: readonly string[]): Promise<Peer> {
  const { child, output } = start(core, command, args)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  return {
    pid: child.pid!,
    output,
    async stop() {
      child.kill('SIGTERM')
      const deadline = setTimeout(() => child.kill('SIGKILL'), 2000)
      await ended
      clearTimeout(deadline)
    },
  }
}

/**
 * Run a program on one core to its end, such as a load generator.
 *
 * @returns what it wrote to stdout and stderr
 * @throws {Error} when it ends with another status than 0
 */
export async function runPinned(core: number, command: string, args: readonly string[]): Promise<string> {
  const { child, output } = start(core, command, args)
  const status = await new Promise<number | null>((resolve, reject) =>
    child.once('close', resolve).once('error', reject),
  )
  if (status !== 0) throw new Error(`${command} ended with status ${status}:\n${output()}`)
  return output()
}

function start(
  core: number | 'all',
  command: string,
  args: readonly string[],
): { child: ChildProcess; output(): string } {
  const child = spawn('taskset', ['-c', coreList(core), command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-OUTPUT_LIMIT)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return { child, output: () => text }
}

function coreList(core: number | 'all'): string {
  const last = availableParallelism() - 1
  return core === 'all' ? `0-${last}` : `${Math.min(core, last)}`
}

/**
 * Measure contenders in turns, so that a busy moment of the machine meets all of them.
 *
 * @param rounds how often each is measured
 * @returns for each contender what was measured, one value a round
 * @example const runs = await interleave(['portico', 'knot'], 5, (name) => queriesPerSecond(name))
 */
export async function interleave<Name extends string>(
  contenders: readonly Name[],
  rounds: number,
  measure: (contender: Name) => Promise<number>,
): Promise<Record<Name, number[]>> {
  const runs = Object.fromEntries(contenders.map((name) => [name, [] as number[]])) as Record<Name, number[]>
  for (let round = 0; round < rounds; round++) {
    // The one that goes first changes, so that none always follows the same neighbour.
    for (let turn = 0; turn < contenders.length; turn++) {
      const name = contenders[(turn + round) % contenders.length]!
      runs[name].push(await measure(name))
    }
  }
  return runs
}

/** @throws {RangeError} when there is no value */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('The median of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/**
 * Wait until something accepts TCP connections on 127.0.0.1.
 *
 * @throws {Error} when nothing does within `withinMs`
 */
export async function waitForPort(port: number, withinMs = 5000): Promise<void> {
  const deadline = Date.now() + withinMs
  while (!(await accepts(port))) {
    if (Date.now() > deadline) throw new Error(`Nothing listens on 127.0.0.1:${port} after ${withinMs} ms`)
    await sleep(20)
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}

/**
 * Keep a program that runs already to one core, with all its threads and children.
 *
 * @throws {Error} when the system refuses
 */
export async function confine(pid: number, core: number): Promise<void> {
  for (const one of processes(pid)) await runPinned(core, 'taskset', ['-acp', coreList(core), `${one}`])
}

/** User and kernel time of a process, its threads and the children that do the work, in seconds. */
export function cpuSeconds(pid: number): number {
  return processes(pid)
    .flatMap((one) => readdirSync(`/proc/${one}/task`).map((thread) => `/proc/${one}/task/${thread}`))
    .reduce(
      (sum, thread) => sum + Number(readFileSync(`${thread}/schedstat`, 'latin1').split(' ')[0]) / 1e9,
      0,
    )
}

/** Resident memory of a process and its children, in octets. */
export function residentOctets(pid: number): number {
  return statusOctets(pid, 'VmRSS')
}

/** The most that was resident of a process and its children, in octets. */
export function peakOctets(pid: number): number {
  return statusOctets(pid, 'VmHWM')
}

function statusOctets(pid: number, field: string): number {
  return processes(pid).reduce((sum, one) => {
    const status = readFileSync(`/proc/${one}/status`, 'latin1')
    return sum + Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  }, 0)
}

function processes(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim()
  return [
    pid,
    ...children
      .split(' ')
      .filter(Boolean)
      .flatMap((child) => processes(Number(child))),
  ]
}
