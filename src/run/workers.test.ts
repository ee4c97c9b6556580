import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { clearCounts, createConnectionCounts, createCountMemory } from '#access/connection-counts.ts'
import { createBucketMemory } from '#access/limiters.ts'
import { type Log, silent } from '#core/log.ts'
import { planOf } from '../../test/routes.ts'
import { until } from '../../test/running.ts'
import type { DataSlice } from './slice.ts'
import { createWorkers, type Workers } from './workers.ts'

const entry = new URL('../../test/dying-worker.ts', import.meta.url)
const procedures = {
  certificate: async () => null,
  grant: async () => false,
  checked: () => {},
  bucket: async () => ({ kind: 'done' as const }),
  live: async () => ({ kind: 'done' as const }),
  errand: async () => ({ messages: [], more: null }),
  errandMore: async () => ({ messages: [], more: null }),
  log: () => {},
  access: () => {},
}
const shared = { buckets: createBucketMemory(8), connections: createCountMemory(2) }

/** A slice that is known by a number. */
function slice(number: number): () => DataSlice {
  const dns = {
    zones: [],
    keys: [],
    moves: [],
    limits: { udpPayload: 1232, tcpConnections: 1, tcpIdleMs: 1 },
    signatures: 100,
    manner: {},
    pools: [],
    places: { networks: [], file: null },
  }
  const tls = {
    certificates: [],
    limits: { lifetimeMs: 1, sessionTimeoutMs: 1, handshakeTimeoutMs: 1, contexts: 1 },
    acme: { authorities: [], challenges: [] },
    onDemand: null,
    clients: [],
  } as unknown as DataSlice['tls']
  const shown = { texts: [], tokens: {}, digests: {} }
  const maps = {
    serials: new Map(),
    images: new Map(),
    keys: new Map(),
    tsigKeys: new Map(),
    certificates: new Map(),
    ports: new Map(),
    clientRoots: new Map(),
    shown,
  }
  const http = { ...planOf([]), httpsPort: number }
  const observe = { accessLog: null, identity: null, traces: null, metrics: { limitRoutes: 1 } }
  return () => ({
    dns,
    tls,
    http,
    observe,
    listeners: [],
    ticketKey: new Uint8Array(48),
    cache: null,
    cookieKeys: [],
    dnsOverlay: { health: {}, aliases: {} },
    places: null,
    ...maps,
  })
}

type Options = { folder?: string; log?: Log; onDeath?: (worker: number) => void; loaded?: Worker }

async function use(options: Options, run: (workers: Workers) => Promise<void>): Promise<void> {
  const { folder = 'lives', log = silent, onDeath = () => {}, loaded } = options
  const setups = [0, 1].map((worker) => ({ worker, workers: 2, folder, tellsRequests: false, shared }))
  const first = loaded === undefined ? {} : { loaded }
  const workers = createWorkers({
    setups,
    procedures,
    log,
    onDeath,
    entry,
    ping: { everyMs: 50, timeoutMs: 300 },
    ...first,
  })
  try {
    await run(workers)
  } finally {
    await workers.stop(0)
  }
}

/** The number of the slice that each worker serves. */
async function served(workers: Workers): Promise<number[]> {
  return (await workers.askAll('snapshot')).map(({ http }) => http.requests)
}

test('when one worker cannot prepare a slice, all go on with the one before', () =>
  use({}, async (workers) => {
    ;(await workers.prepare(slice(7))).commit()
    await assert.rejects(workers.prepare(slice(1)), /^Error: This slice is not for worker 1\.$/)
    assert.deepEqual(await served(workers), [7, 7])
    const { abort } = await workers.prepare(slice(8))
    abort()
    assert.deepEqual(await served(workers), [7, 7])
    ;(await workers.prepare(slice(9))).commit()
    assert.deepEqual(await served(workers), [9, 9])
  }))

for (const folder of ['throws', 'rejects', 'takes all memory', 'answers no more']) {
  test(`a worker that ${folder} is replaced, and the next one serves the same`, async () => {
    const dead: number[] = []
    const loaded = new Worker(entry, { resourceLimits: { maxOldGenerationSizeMb: 16 } })
    await use({ folder, onDeath: (worker) => dead.push(worker), loaded }, async (workers) => {
      ;(await workers.prepare(slice(7))).commit()
      assert.deepEqual(await served(workers), [7, 7])
      workers.tell('ports', new Map())
      await until(() => workers.states().some(({ state }) => state !== 'serving'))
      await until(() => workers.states().every(({ state }) => state === 'serving'))
      assert.deepEqual(await served(workers), [7, 7])
      assert.deepEqual(dead, [0])
      assert.ok(workers.states()[0]!.lastEnd)
    })
  })
}

test('a worker that dies again and again is started with growing pauses, while the other serves', async () => {
  const pauses: unknown[] = []
  const log: Log = (_level, _event, fields) => pauses.push(fields?.['restartMs'])
  await use({ folder: 'dies at once', log }, async (workers) => {
    ;(await workers.prepare(slice(7))).commit()
    await until(() => pauses.length >= 3)
    assert.deepEqual(pauses.slice(0, 3), [100, 200, 400])
    assert.deepEqual(await served(workers), [7])
    assert.equal(workers.states()[1]!.state, 'serving')
  })
})

test('what a dead worker counted of its clients is forgotten', () => {
  const memory = createCountMemory(2)
  const [a, b] = [0, 1].map((thread) => createConnectionCounts(() => false, memory, thread))
  a!.limit = b!.limit = 2
  const connect = (counts: typeof a): boolean => counts!.mayConnect('192.0.2.1', clientAt('192.0.2.1'))
  assert.deepEqual([connect(a), connect(b), connect(a), connect(b)], [true, true, false, false])
  clearCounts(memory, 0)
  assert.deepEqual([connect(b), connect(b)], [true, false])
})

function clientAt(address: string): Socket {
  const socket = new Socket()
  Object.defineProperty(socket, 'remoteAddress', { value: address })
  return socket
}
