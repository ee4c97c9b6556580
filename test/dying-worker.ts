// A thread for the tests of src/run/workers.ts: it does what `folder` of its setup says.

import { parentPort } from 'node:worker_threads'
import { connect } from '#run/rpc.ts'
import type { DataSlice, MainProcedures, WorkerProcedures, WorkerSetup } from '#run/slice.ts'
import { joinSnapshots } from '#run/snapshot.ts'

let setup: WorkerSetup
let prepared: DataSlice | undefined
let served = 0

const procedures: WorkerProcedures = {
  start: (given) => (setup = given),
  ping: () => null,
  async prepare(slice) {
    if (setup.folder === 'dies at once' && setup.worker === 0) process.exit(3)
    if (setup.worker === 1 && slice.http.httpsPort === 1) throw new Error('This slice is not for worker 1.')
    prepared = slice
    return null
  },
  commit() {
    if (prepared !== undefined) served = prepared.http.httpsPort ?? 0
    prepared = undefined
  },
  abort: () => (prepared = undefined),
  adopt: async () => null,
  ports: () => fail(),
  certificate: () => {},
  ticketKey: () => {},
  tls: () => {},
  shown: () => {},
  cookieKeys: () => {},
  dnsOverlay: () => {},
  checked: () => {},
  zones: () => {},
  live: () => {},
  feed: async () => null,
  snapshot() {
    const nothing = joinSnapshots([])
    return { ...nothing, http: { ...nothing.http, requests: served } }
  },
  samples: () => [],
  busyClients: () => [],
  verdicts: () => [],
  transfers: () => ({ count: 0, paused: 0, aheadOctets: 0, list: [] }),
  sessions: () => [],
  viewers: () => [],
  reopenLog: () => {},
  warm: () => Promise.reject(new Error('not here')),
  stop: async () => null,
}
connect<MainProcedures>(parentPort!, procedures)

/** Fail in the way that the setup says. */
function fail(): void {
  if (setup.worker !== 0) return
  const held: string[][] = []
  if (setup.folder === 'throws') throw new Error('thrown on purpose')
  if (setup.folder === 'rejects') void Promise.reject(new Error('rejected on purpose'))
  while (setup.folder === 'answers no more');
  while (setup.folder === 'takes all memory') held.push(new Array(100_000).fill('more'))
}
