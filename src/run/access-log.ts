import { createWriteStream } from 'node:fs'
import type { Exchange, ExchangeEnd, Handler } from '#http/exchange.ts'

/** Gets one record for each exchange that ended. */
export type AccessLog = (record: AccessRecord) => void

/** The stable schema of the access log: one JSON object a line. */
export type AccessRecord = {
  /** ISO 8601 with milliseconds, when the response ended */
  readonly time: string
  readonly client: string
  readonly scheme: 'http' | 'https'
  readonly method: string
  readonly host: string
  readonly target: string
  readonly version: string
  /** 0: none was sent */
  readonly status: number
  readonly sentOctets: number
  readonly receivedOctets: number
  readonly durationMs: number
  readonly route: string
  readonly answeredBy: string
  /** why the exchange ended */
  readonly end: string
  /** why it was answered so */
  readonly reason: string
}

/** A handler whose exchanges are written down when they end. */
export function logged(handler: Handler, accessLog: AccessLog | null): Handler {
  if (accessLog === null) return handler
  return (exchange) => {
    const startedAt = performance.now()
    exchange.onEnd = (end) => accessLog(recordOf(exchange, end, performance.now() - startedAt))
    handler(exchange)
  }
}

function recordOf({ request, note }: Exchange, end: ExchangeEnd, durationMs: number): AccessRecord {
  return {
    time: new Date().toISOString(),
    client: request.client.address,
    scheme: request.client.secure ? 'https' : 'http',
    method: request.method,
    host: request.host,
    target: request.target,
    version: request.version,
    status: end.status,
    sentOctets: end.sentOctets,
    receivedOctets: end.receivedOctets,
    durationMs: Math.round(durationMs * 1000) / 1000,
    route: note.routeId,
    answeredBy: note.answeredBy,
    end: end.reason,
    reason: note.reason,
  }
}

/** Octets that wait for the disk; beyond, records are dropped and counted rather than held in memory. */
const UNWRITTEN_LIMIT_OCTETS = 8 * 2 ** 20

/** The end of a file that other threads, and other programs, write to as well. */
export type AccessFile = {
  /**
   * Write records, one JSON object a line, in one piece.
   *
   * @returns false when too much waits for the disk: then none of them is written
   */
  write(records: readonly AccessRecord[]): boolean
  end(): Promise<void>
}

/** Open a file for records. What is appended in one piece is not torn apart by what others append. */
export function openAccessFile(path: string, onError: (error: Error) => void): AccessFile {
  const stream = createWriteStream(path, { flags: 'a', mode: 0o640 })
  stream.on('error', onError)
  return {
    write(records) {
      if (stream.writableLength > UNWRITTEN_LIMIT_OCTETS) return false
      stream.write(records.map((record) => `${JSON.stringify(record)}\n`).join(''))
      return true
    },
    end: () => new Promise((resolve) => stream.end(resolve)),
  }
}
