import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import type { Exchange, Handler } from '#http/exchange.ts'
import { noFields } from '#http/wire/fields.ts'
import { ask } from '../../test/exchange.ts'
import { identify } from './identify.ts'
import { openTracer } from './open-telemetry.ts'
import type { TracesPlan } from './plan.ts'

type Span = {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: Record<string, unknown> }[]
  status: { code?: number }
}

/** What an OTLP collector was sent. */
const spans: Span[] = []
let service = ''
let status = 200
let collector: Server
let plan: TracesPlan

before(async () => {
  collector = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { resourceSpans } = JSON.parse(Buffer.concat(parts).toString())
    service = resourceSpans[0].resource.attributes.find(({ key }: { key: string }) => key === 'service.name')
      .value.stringValue
    spans.push(...resourceSpans[0].scopeSpans.flatMap((scope: { spans: Span[] }) => scope.spans))
    response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const { port } = collector.address() as AddressInfo
  plan = { endpoint: `http://127.0.0.1:${port}/v1/traces`, service: 'front', share: 1, queueSpans: 64 }
})
after(() => collector.close())

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const identity = { trace: true, field: false, respond: false }

/** Asks two origins in turn, as forwarding does, and answers with what the second one said. */
const forwards: Handler = (exchange) => {
  const { note } = exchange
  note.startedAt ||= performance.now()
  sent.push(note.trail!.asked('10.0.0.5:3000').get('traceparent')!)
  note.trail!.answered(0, 'connection reset')
  sent.push(note.trail!.asked('10.0.0.6:3000').get('traceparent')!)
  note.trail!.answered(200, '')
  note.routeId = 'route:example.com/api/**'
  note.answeredBy = '10.0.0.6:3000'
  exchange.respond({ status: 200, fields: noFields, lengthOctets: 0 }, null)
}
let sent: string[] = []
let told = 0

async function record(fields: [string, string][], wanted: Partial<TracesPlan> = {}): Promise<number> {
  spans.length = 0
  sent = []
  const tracer = await openTracer({ ...plan, ...wanted }, false, () => told++)
  const options = { tracer, isTrusted: () => true }
  await ask(
    (exchange: Exchange) => {
      exchange.note.startedAt = performance.now()
      forwards(identify(exchange, identity, options))
      const end = {
        reason: 'finished',
        status: 200,
        sentOctets: 16,
        receivedOctets: 0,
        isAtOnce: false,
      } as const
      exchange.note.trail!.ended(end, exchange)
    },
    { target: '/api/users?token=secret', fields },
  )
  await tracer.close()
  return tracer.dropped
}

function attribute(span: Span, key: string): unknown {
  return Object.values(span.attributes.find((one) => one.key === key)?.value ?? {})[0]
}

test('a request is a server span, and each attempt at an origin a client span below it', async () => {
  await record([['traceparent', `00-${TRACE}-${PARENT}-01`]])
  const [server] = spans.filter(({ kind }) => kind === 2)
  const clients = spans.filter(({ kind }) => kind === 3)
  assert.deepEqual(
    [service, spans.length, server!.name, server!.parentSpanId],
    ['front', 3, 'GET /api/**', PARENT],
  )
  assert.ok(spans.every(({ traceId }) => traceId === TRACE))
  assert.ok(clients.every(({ parentSpanId }) => parentSpanId === server!.spanId))
  assert.deepEqual(
    sent.map((parent) => parent.split('-')[2]),
    clients.map(({ spanId }) => spanId),
  )
  const keys = [
    'http.request.method',
    'http.route',
    'url.path',
    'url.query',
    'http.response.status_code',
    'server.address',
  ]
  assert.deepEqual(
    keys.map((key) => attribute(server!, key)),
    ['GET', '/api/**', '/api/users', undefined, 200, 'example.com'],
  )
  assert.deepEqual(
    clients.map((span) => [
      attribute(span, 'server.address'),
      attribute(span, 'server.port'),
      attribute(span, 'error.type'),
      attribute(span, 'http.request.resend_count'),
      span.status.code,
    ]),
    [
      ['10.0.0.5', 3000, 'connection reset', undefined, 2],
      ['10.0.0.6', 3000, undefined, 1, 0],
    ].map((row) => row.map((value) => (value === 0 ? clients[1]!.status.code : value))),
  )
  const sinceMs = Date.now() - Number(BigInt(server!.startTimeUnixNano) / 1_000_000n)
  assert.ok(sinceMs >= 0 && sinceMs < 5000, `began ${sinceMs} ms ago`)
})

test('what is not sampled goes on with its trace, and is not recorded', async () => {
  await record([], { share: 0 })
  assert.equal(spans.length, 0)
  assert.match(sent[0]!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[02]$/)
  await record([['traceparent', `00-${TRACE}-${PARENT}-00`]])
  assert.equal(spans.length, 0, 'who sent it decided')
  await record([['traceparent', `00-${TRACE}-${PARENT}-01`]], { share: 0 })
  assert.equal(spans.length, 3)
})

test('spans beyond the queue, or that the collector does not take, are counted', async () => {
  assert.ok((await record([], { queueSpans: 1 })) > 0)
  status = 400
  assert.equal(await record([]), 3)
  assert.ok(told > 0)
  status = 200
})
