import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { cpuSeconds, interleave, median, type Peer, pin, runPinned, waitForPort } from './peers.ts'

const ROUNDS = 5
const SECONDS = 2
const CONNECTIONS = 64
const ALL_CORES = `0-${availableParallelism() - 1}`

const CONTENDERS = ['one', 'all'] as const
type Contender = (typeof CONTENDERS)[number]

type Figures = {
  readonly workers: number
  readonly requestsPerSecond: number
  /** processor time of all threads for a request */
  readonly cpuMicroseconds: number
  /** until the port is open, from the start of the process */
  readonly startMs: number
  readonly residentMegabytes: number
}

export type WorkersBench = {
  readonly bench: 'workers'
  /** requests per second with a worker a core / with one worker */
  readonly ratio: number
  readonly contenders: Readonly<Record<Contender, Figures>>
}

type Running = { readonly peer: Peer; readonly port: number; readonly startMs: number }

/**
 * Measure a whole Portico with one worker beside one with a worker a core: 1 KiB from the file, keep-alive, 64
 * connections. The load generator takes what the workers leave of the cores, about a fifth.
 *
 * @throws {Error} when wrk is missing
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const wrk = peer('wrk')
  if (wrk === undefined) throw new Error('The workers bench needs wrk. Fix: apt-get install wrk')
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  const workers = { one: 1, all: availableParallelism() }
  const peers: Peer[] = []
  try {
    const one = await startPortico(workers.one, folder, peers)
    const all = await startPortico(workers.all, folder, peers)
    const contenders = await measure(wrk, { one, all }, workers)
    const ratio = contenders.all.requestsPerSecond / contenders.one.requestsPerSecond
    print({ bench: 'workers', ratio: Number(ratio.toFixed(3)), contenders }, json)
  } finally {
    await Promise.all(peers.map((one) => one.stop()))
    await rm(folder, { recursive: true })
  }
}

async function startPortico(workers: number, folder: string, peers: Peer[]): Promise<Running> {
  const port = await freePort()
  const script = join(import.meta.dirname, 'workers-portico.ts')
  const words = [process.execPath, script, `${port}`, `${workers}`, join(folder, `state-${workers}`)]
  const startedAt = performance.now()
  const peer = await pin(0, 'taskset', ['-c', ALL_CORES, ...words])
  peers.push(peer)
  await waitForPort(port, 20_000)
  return { peer, port, startMs: Math.round(performance.now() - startedAt) }
}

async function measure(
  wrk: string,
  running: Readonly<Record<Contender, Running>>,
  workers: Readonly<Record<Contender, number>>,
): Promise<Record<Contender, Figures>> {
  const cpu: Record<Contender, number[]> = { one: [], all: [] }
  const load = async (name: Contender): Promise<number> => {
    const { peer, port } = running[name]
    const options = ['-t1', `-c${CONNECTIONS}`, `-d${SECONDS}`, '-H', 'Host: www.example.com']
    const before = cpuSeconds(peer.pid)
    const words = ['-c', ALL_CORES, wrk, ...options, `http://127.0.0.1:${port}/`]
    const output = await runPinned(0, 'taskset', words)
    const requests = Number(/(\d+) requests in/.exec(output)?.[1])
    if (!(requests > 0) || /Non-2xx|Socket errors/.test(output))
      throw new Error(`wrk gave no usable figure for ${name}:\n${output}`)
    cpu[name].push(((cpuSeconds(peer.pid) - before) * 1e6) / requests)
    return requests / SECONDS
  }
  // The first seconds are the compiler's.
  for (const name of CONTENDERS) await load(name)
  const runs = await interleave(CONTENDERS, ROUNDS, load)
  const figures = (name: Contender): Figures => ({
    workers: workers[name],
    requestsPerSecond: Math.round(median(runs[name])),
    cpuMicroseconds: Number(median(cpu[name]).toFixed(1)),
    startMs: running[name].startMs,
    residentMegabytes: residentMegabytes(running[name].peer.pid),
  })
  return { one: figures('one'), all: figures('all') }
}

function residentMegabytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
  return Math.round((Number(kilobytes) * 1024) / 1e6)
}

function print(result: WorkersBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log('1 KiB from the file, all cores for server and load generator together')
  console.table(result.contenders)
  console.log(`Requests per second, a worker a core / one worker: ${result.ratio}`)
}
