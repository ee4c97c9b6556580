// The thread that serves: `workers.ts` starts it, one for each worker, and tells it what.

import { parentPort } from 'node:worker_threads'
import type { Log } from '#core/log.ts'
import { type AccessLog, type AccessRecord, openAccessFile } from './access-log.ts'
import { createDataPlane, type DataPlane, type PreparedSlice } from './data-plane.ts'
import { createOutbox } from './outbox.ts'
import { connect } from './rpc.ts'
import type { LogRecord, MainProcedures, WorkerProcedures, WorkerSetup } from './slice.ts'

/** What is held for the main thread between two messages. */
const LIMIT_RECORDS = 1000
/** What is held for the disk; a worker does not answer half as many requests meanwhile. */
const LIMIT_LINES = 8192

let setup: WorkerSetup
let accessLog: ReturnType<typeof openAccessLog>
let plane: DataPlane | undefined
let prepared: PreparedSlice | undefined

const procedures: WorkerProcedures = {
  start(given) {
    setup = given
    accessLog = openAccessLog()
  },
  ping: () => null,
  async prepare(slice) {
    plane ??= createDataPlane({
      first: slice,
      setup,
      log,
      accessLog: accessLog.write,
      certificate: (id) => main.call('certificate', id),
      onCheck: (check) => main.tell('checked', check),
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
  checked: (check) => plane?.told(check),
  snapshot: () => plane!.snapshot(),
  async stop(deadlineMs) {
    await plane?.stop(deadlineMs)
    await accessLog.end()
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

function log(...[level, event, fields]: Parameters<Log>): void {
  logs.add(fields === undefined ? { level, event } : { level, event, fields })
}

/** Each worker appends to the file itself; what a person reads goes through the main thread. */
function openAccessLog(): { write: AccessLog | null; end(): Promise<void> } {
  if (setup.accessLog === null) return { write: null, end: () => Promise.resolve() }
  const onDrop = (count: number): void => log('warning', 'access records dropped', { count })
  if (setup.accessLog === 'main') {
    const send = (batch: readonly AccessRecord[]): void => main.tell('access', batch)
    const records = createOutbox({ send, limit: LIMIT_RECORDS, onDrop })
    return { write: records.add, end: async () => records.flush() }
  }
  const { path } = setup.accessLog
  const file = openAccessFile(path, ({ message }) =>
    log('error', 'access log not written', { path, error: message }),
  )
  const send = (batch: readonly AccessRecord[]): void => {
    if (!file.write(batch)) onDrop(batch.length)
  }
  const records = createOutbox({ send, limit: LIMIT_LINES, onDrop })
  return {
    write: records.add,
    end() {
      records.flush()
      return file.end()
    },
  }
}
