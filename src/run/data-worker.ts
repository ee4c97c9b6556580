// The thread that serves: `workers.ts` starts it, one for each worker, and tells it what.

import { parentPort } from 'node:worker_threads'
import type { Log } from '#core/log.ts'
import type { AccessRecord } from '#log/record.ts'
import { createDataPlane, type DataPlane, type PreparedSlice } from './data-plane.ts'
import { createOutbox } from './outbox.ts'
import { connect } from './rpc.ts'
import type { LogRecord, MainProcedures, WorkerProcedures, WorkerSetup } from './slice.ts'

/** A disk that is busy with other things may take long to say that it has something. */
const BUCKET_MS = 60_000
/** What is held for the main thread between two messages. */
const LIMIT_RECORDS = 1000

/** The program of the owner is asked, then the authority. */
const GRANT_MS = 30_000

let setup: WorkerSetup
let plane: DataPlane | undefined
let prepared: PreparedSlice | undefined

const procedures: WorkerProcedures = {
  start(given) {
    setup = given
  },
  ping: () => null,
  async prepare(slice) {
    plane ??= createDataPlane({
      first: slice,
      setup,
      log,
      accessLog: setup.tellsRequests ? records.add : null,
      certificate: (id) => main.call('certificate', id),
      grant: (name) => main.call('grant', name, GRANT_MS),
      onCheck: (check) => main.tell('checked', check),
      applyToBucket: (request) => main.call('bucket', request, BUCKET_MS),
      askLive: (request) => main.call('live', request, BUCKET_MS),
      errands: {
        ask: (errand) => main.call('errand', errand),
        askMore: (more) => main.call('errandMore', more),
      },
    })
    prepared = await plane.prepare(slice)
    return null
  },
  commit() {
    prepared?.commit()
    prepared = undefined
  },
  abort() {
    prepared?.abort()
    prepared = undefined
  },
  async adopt(listeners) {
    await plane?.adopt(listeners)
    return null
  },
  ports: (ports) => plane?.setPorts(ports),
  certificate: ({ id, issued }) => plane?.renewCertificate(id, issued),
  ticketKey: (key) => plane?.setTicketKey(key),
  tls: (slice) => plane?.setTls(slice),
  shown: (shown) => plane?.show(shown),
  cookieKeys: (keys) => plane?.dns.server.setCookieKeys(keys),
  dnsOverlay: (overlay) => plane?.dns.setOverlay(overlay),
  checked: (check) => plane?.told(check),
  zones: (news) => plane?.dns.replaceZones(news),
  live: (told) => plane?.live.told(told),
  feed: (feed) => plane!.live.feed(feed),
  viewers: () => plane!.live.viewers(Date.now()),
  snapshot: () => plane!.snapshot(),
  samples: () => plane!.samples(),
  busyClients: () => plane!.busyClients(),
  verdicts: () => plane!.verdicts(),
  transfers: () => plane!.transfers(),
  sessions: () => plane!.sessions(),
  reopenLog: () => plane?.reopenLog(),
  warm: (query) => plane!.warm(query),
  async stop(deadlineMs) {
    await plane?.stop(deadlineMs)
    records.flush()
    logs.flush()
    return null
  },
}

const main = connect<MainProcedures>(parentPort!, procedures)
const logs = createOutbox<LogRecord>({
  send: (records) => main.tell('log', records),
  limit: LIMIT_RECORDS,
  onDrop: (count) => log('warning', 'log records dropped', { count }),
})

const records = createOutbox<AccessRecord>({
  send: (batch) => main.tell('access', batch),
  limit: LIMIT_RECORDS,
  onDrop: (count) => log('warning', 'access records dropped', { count }),
})

function log(...[level, event, fields]: Parameters<Log>): void {
  logs.add(fields === undefined ? { level, event } : { level, event, fields })
}
