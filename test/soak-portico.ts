/** A Portico in a process of its own that says what it holds, and whose workers can be ended. */
import { readdirSync } from 'node:fs'
import type { Worker } from 'node:worker_threads'
import { startPortico } from '#run/portico.ts'

/** What is asked of it; each question has one answer with the same id. */
export type Asked = { readonly id: number; readonly what: 'held' | 'end a worker' | 'stop' }

/** Octets, and a count of open descriptors. */
export type Held = {
  readonly rss: number
  readonly mainHeap: number
  readonly workerHeaps: readonly number[]
  readonly descriptors: number
}

export type Said = { readonly id: number; readonly held: Held | null } | { readonly logged: string }

const workers = new Set<Worker>()
process.on('worker', (worker) => {
  workers.add(worker)
  worker.once('exit', () => workers.delete(worker))
})

const portico = await startPortico({
  source: { file: process.argv[2]! },
  dev: false,
  log(level, event, fields) {
    if (level === 'warning' || level === 'error')
      say({ logged: `${level} ${event} ${JSON.stringify(fields)}` })
  },
})
let ended = 0

process.on('SIGHUP', () => void portico.reload())
process.on('message', ({ id, what }: Asked) => {
  const done = { held, 'end a worker': endWorker, stop }[what]()
  void done.then((value) => say({ id, held: value }))
})
say({ id: 0, held: null })

async function endWorker(): Promise<null> {
  portico.front.endWorker(ended++ % portico.front.workers().length)
  return null
}

async function stop(): Promise<null> {
  await portico.stop(1000)
  setImmediate(() => process.disconnect!())
  return null
}

async function held(): Promise<Held> {
  const heaps = await Promise.all([...workers].map((worker) => worker.getHeapStatistics().catch(() => null)))
  return {
    rss: process.memoryUsage.rss(),
    mainHeap: process.memoryUsage().heapUsed,
    workerHeaps: heaps.flatMap((heap) => (heap === null ? [] : [heap.used_heap_size])),
    descriptors: readdirSync('/proc/self/fd').length,
  }
}

function say(said: Said): void {
  process.send!(said)
}
