import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Log } from '#core/log.ts'
import type { EndListener, Handler } from '#http/exchange.ts'
import { type AccessLog, recordOf } from '#log/record.ts'
import { type LogSink, openLogSink } from '#log/sink.ts'
import { Busiest, type BusyKey } from '#metrics/busiest.ts'
import { RouteCounts } from '#metrics/route-counts.ts'
import type { Sample } from '#metrics/sample.ts'
import type { Plan } from '#plan/plan.ts'
import { identify, type Tracer } from '#traces/identify.ts'
import { openTracer } from '#traces/open-telemetry.ts'
import { type DataPlane, dataPlaneSamples } from './samples.ts'

/** What operators see of one data plane: its counts, its lines of the access log, its traces. */
export type Observation = {
  /**
   * Open what another Plan wants to see. When it throws, nothing has happened.
   *
   * @throws {Error} when the access log cannot be opened, or the packages for traces are missing
   */
  prepare(plan: ObservedPlan): Promise<PreparedObservation>
  /** everything counted until now: plain JSON, to be merged with that of other data planes */
  samples(plane: DataPlane): Sample[]
  /** Who asked most since the last call; counting begins with a call and ends when nobody calls for a while. */
  takeBusyClients(): BusyKey[]
  /** Go on in the file that has the name of the access log now. */
  reopenLog(): void
  close(): Promise<void>
}

/** The part of a Plan that is looked at. */
export type ObservedPlan = { readonly observe: Plan['observe']; readonly http: Pick<Plan['http'], 'hosts'> }

export type PreparedObservation = {
  /** Put the observation around what handles all exchanges of the Plan. */
  observe(handler: Handler): Handler
  commit(): void
  abort(): void
}

export type ObservationOptions = {
  /** where relative names of files start */
  readonly folder: string
  readonly log: Log
  /** gets each record, beside the file of the Plan; null when nobody reads them */
  readonly accessLog: AccessLog | null
  /** Whether ids that a peer at this address sends are believed. */
  readonly isTrusted: (address: string) => boolean
  /** the name of this data plane in metrics */
  readonly worker: string
}

type Opened = {
  readonly plan: Plan['observe']
  readonly sink: LogSink | null
  readonly tracer: Tracer | null
}

/** Clients that are told apart: the busiest of any crowd are among them. */
const LIMIT_CLIENTS = 2048
/** Clients are counted for so long after somebody looked. */
const WATCH_MS = 15_000
const SHOWN_CLIENTS = 100
const DELAY_RESOLUTION_MS = 50

/** @example const { observe, commit } = await createObservation(options).prepare(plan) */
export function createObservation(options: ObservationOptions): Observation {
  const { log, accessLog, isTrusted, worker } = options
  const counts = new RouteCounts()
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
  delay.enable()
  let opened: Opened | undefined
  let clients: Busiest | null = null
  let watchUntil = 0
  let retired = { lines: 0, spans: 0 }

  const ended: EndListener = (end, exchange) => {
    const { note, request } = exchange
    const now = end.isAtOnce ? note.answeredAt : performance.now()
    counts.count(note, end, now)
    note.trail?.ended(end, exchange)
    if (clients !== null) {
      if (now > watchUntil) clients = null
      else clients.count(request.client.address, end.sentOctets)
    }
    const sink = opened?.sink ?? null
    if (sink === null && accessLog === null) return
    const record = recordOf(exchange, end, { now, time: isoTime(Date.now()) }, sink?.plan.query ?? true)
    sink?.write(record)
    accessLog?.(record)
  }

  async function prepare({ observe: plan, http }: ObservedPlan): Promise<PreparedObservation> {
    const next = await open(plan, opened, options)
    const { identity } = plan
    return {
      observe(handler) {
        const identified: Handler =
          identity === null
            ? handler
            : (exchange) => handler(identify(exchange, identity, { tracer: next.tracer, isTrusted }))
        return (exchange) => {
          counts.begun++
          exchange.note.startedAt = performance.now()
          exchange.onEnd = ended
          identified(exchange)
        }
      },
      commit() {
        counts.commit(http, plan.metrics.limitRoutes)
        const before = opened
        opened = next
        if (before !== undefined) void retire(before, next)
      },
      abort: () => void discard(next, opened),
    }
  }

  /** Exchanges under way end in the new log; spans under way belong to their old tracer. */
  async function retire(before: Opened, next: Opened): Promise<void> {
    if (before.sink !== null && before.sink !== next.sink) retired.lines += before.sink.file.dropped
    if (before.tracer !== null && before.tracer !== next.tracer) retired.spans += before.tracer.dropped
    await discard(before, next)
  }

  return {
    prepare,
    samples: (plane) =>
      dataPlaneSamples(plane, {
        counts,
        worker,
        delay,
        delayResolutionMs: DELAY_RESOLUTION_MS,
        limitOrigins: opened?.plan.metrics.limitRoutes ?? 0,
        droppedLines: retired.lines + (opened?.sink?.file.dropped ?? 0),
        droppedSpans: retired.spans + (opened?.tracer?.dropped ?? 0),
      }),
    takeBusyClients() {
      const found = clients?.top(SHOWN_CLIENTS) ?? []
      clients = new Busiest(LIMIT_CLIENTS)
      watchUntil = performance.now() + WATCH_MS
      return found
    },
    reopenLog() {
      opened?.sink?.file.reopen()
      log('info', 'access log opened anew')
    },
    async close() {
      delay.disable()
      retired = { lines: 0, spans: 0 }
      if (opened !== undefined) await discard(opened, undefined)
    },
  }
}

let lastMs = 0
let lastTime = ''

/** Many requests end in one millisecond, and writing its time takes longer than reading the clock. */
function isoTime(nowMs: number): string {
  if (nowMs !== lastMs) {
    lastMs = nowMs
    lastTime = new Date(nowMs).toISOString()
  }
  return lastTime
}

/** What stays equal is kept. */
async function open(
  plan: Plan['observe'],
  before: Opened | undefined,
  { folder, log }: ObservationOptions,
): Promise<Opened> {
  const { accessLog, traces } = plan
  const onError = seldom((error) => log('error', 'access log cannot be written', { error }))
  const sink = isEqual(accessLog, before?.plan.accessLog)
    ? (before?.sink ?? null)
    : accessLog && openLogSink(accessLog, { folder, onError, random: Math.random })
  const keepsQuery = accessLog?.query ?? true
  const knewQuery = before?.plan.accessLog?.query ?? true
  if (isEqual([traces, keepsQuery], [before?.plan.traces, knewQuery]))
    return { plan, sink, tracer: before?.tracer ?? null }
  const onLost = seldom((error) =>
    log('warning', 'collector takes no spans', { to: traces?.endpoint, error }),
  )
  try {
    return { plan, sink, tracer: traces && (await openTracer(traces, keepsQuery, onLost)) }
  } catch (error) {
    if (sink !== before?.sink) sink?.file.close()
    throw error
  }
}

/** A disk that is full is full for every line. */
const TELL_MS = 60_000

function seldom(tell: (message: string) => void): (error: Error | undefined) => void {
  let toldAt = Number.NEGATIVE_INFINITY
  return (error) => {
    if (performance.now() - toldAt < TELL_MS) return
    toldAt = performance.now()
    tell(error?.message ?? 'for no reason that was told')
  }
}

/** Close what `kept` does not have. */
async function discard(opened: Opened, kept: Opened | undefined): Promise<void> {
  if (opened.sink !== kept?.sink) opened.sink?.file.close()
  if (opened.tracer !== kept?.tracer) await opened.tracer?.close()
}

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
