import type { Span, SpanContext } from '@opentelemetry/api'
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Exchange, ExchangeEnd, Trail } from '#http/exchange.ts'
import type { Fields } from '#http/wire/fields.ts'
import type { Tracer } from './identify.ts'
import { PlainTrail, traceFields } from './plain-trail.ts'
import type { TracesPlan } from './plan.ts'
import { clientAttributes, serverAttributes, serverEndAttributes, spanName } from './span.ts'
import { type Incoming, SAMPLED } from './wire/trace-context.ts'

/** How long a collector may take, when Portico stops and otherwise. */
const CLOSE_MS = 2000
const EXPORT_MS = 10_000
const EVERY_MS = 2000
const BATCH_SPANS = 512

/**
 * Record traces by the SDK of OpenTelemetry, which is loaded here and nowhere else.
 *
 * @param keepsQuery whether spans say the query of a target
 * @param onError told each time that the collector takes no spans
 * @throws {Error} when its packages are not installed
 */
export async function openTracer(
  plan: TracesPlan,
  keepsQuery: boolean,
  onError: (error: Error | undefined) => void,
): Promise<Tracer> {
  const { api, sdk, otlp, resources } = await loadSdk()
  const counting = countSpans(plan.queueSpans, onError)
  const exporter = counting.exporter(
    new otlp.OTLPTraceExporter({ url: plan.endpoint, timeoutMillis: EXPORT_MS }),
  )
  const batches = new sdk.BatchSpanProcessor({
    exporter,
    maxQueueSize: plan.queueSpans,
    maxExportBatchSize: Math.min(BATCH_SPANS, plan.queueSpans),
    scheduledDelayMillis: EVERY_MS,
    exportTimeoutMillis: EXPORT_MS,
  })
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({ 'service.name': plan.service }),
    sampler: new sdk.AlwaysOnSampler(),
    spanProcessors: [counting.processor(batches)],
  })
  const tracer = provider.getTracer('portico')

  /** A span below another one, which may be in another program. */
  function start(name: string, kind: number, below: SpanContext | undefined, startedAt?: number): Span {
    const context = below === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, below)
    return tracer.startSpan(
      name,
      { kind, ...(startedAt === undefined ? {} : { startTime: startedAt }) },
      context,
    )
  }

  function begin(exchange: Exchange, incoming: Incoming): Trail {
    const { parent, state } = incoming
    const isSampled = parent === undefined ? Math.random() < plan.share : (parent.flags & SAMPLED) !== 0
    // The SDK would make spans that record nothing, at as much cost as the whole request.
    if (!isSampled) return new PlainTrail(incoming)
    const { method } = exchange.request
    const remote = parent && {
      traceId: parent.traceId,
      spanId: parent.parentId,
      traceFlags: parent.flags,
      isRemote: true,
    }
    const server = start(spanName(method, ''), api.SpanKind.SERVER, remote, exchange.note.startedAt)
    const context = server.spanContext()
    const { traceId } = context
    if (server.isRecording()) server.setAttributes(serverAttributes(exchange.request, keepsQuery))
    let client: Span | undefined
    let attempts = 0

    function finish(status: number, failure: string): void {
      if (client === undefined) return
      if (status > 0) client.setAttribute('http.response.status_code', status)
      if (status === 0 || status >= 400) {
        client.setAttribute('error.type', status === 0 ? failure : String(status))
        client.setStatus({ code: api.SpanStatusCode.ERROR })
      }
      client.end()
      client = undefined
    }

    return {
      traceId,
      asked(origin: string): Fields {
        finish(0, 'asked elsewhere')
        client = start(spanName(method, ''), api.SpanKind.CLIENT, context)
        if (client.isRecording()) client.setAttributes(clientAttributes(exchange.request, origin, attempts))
        attempts++
        const { spanId, traceFlags } = client.spanContext()
        return traceFields(traceId, spanId, traceFlags & 0xff, state)
      },
      answered: finish,
      ended(end: ExchangeEnd, ended: Exchange): void {
        finish(0, end.reason)
        if (server.isRecording()) {
          server.updateName(spanName(method, ended.note.routeId))
          server.setAttributes(serverEndAttributes(end, ended.note))
          if (end.status === 0 || end.status >= 500) server.setStatus({ code: api.SpanStatusCode.ERROR })
        }
        server.end()
      },
    }
  }

  return {
    begin,
    get dropped() {
      return counting.dropped()
    },
    async close() {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, CLOSE_MS)
      })
      await Promise.race([provider.shutdown().catch(() => {}), late])
      clearTimeout(timer)
    },
  }
}

async function loadSdk() {
  try {
    const [api, sdk, otlp, resources] = await Promise.all([
      import('@opentelemetry/api'),
      import('@opentelemetry/sdk-trace'),
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
    ])
    return { api, sdk, otlp, resources }
  } catch (error) {
    const fix =
      'npm install @opentelemetry/api @opentelemetry/sdk-trace @opentelemetry/exporter-trace-otlp-http'
    throw new Error(`"traces" needs packages that are not installed. Fix: ${fix}`, { cause: error })
  }
}

/** The SDK drops what its queue cannot hold and says so to nobody: keep count of what is in it. */
function countSpans(limitSpans: number, onError: (error: Error | undefined) => void) {
  let waiting = 0
  let dropped = 0
  return {
    dropped: () => dropped,
    processor(batches: SpanProcessor): SpanProcessor {
      return {
        onStart: (span, context) => batches.onStart(span, context),
        onEnd(span: ReadableSpan) {
          if (waiting >= limitSpans) {
            dropped++
            return
          }
          waiting++
          batches.onEnd(span)
        },
        forceFlush: () => batches.forceFlush(),
        shutdown: () => batches.shutdown(),
      }
    },
    exporter(otlp: SpanExporter): SpanExporter {
      return {
        export(spans, done) {
          waiting -= spans.length
          otlp.export(spans, (result) => {
            if (result.code !== 0) {
              dropped += spans.length
              onError(result.error)
            }
            done(result)
          })
        },
        shutdown: () => otlp.shutdown(),
      }
    },
  }
}
