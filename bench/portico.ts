import { readFileSync } from 'node:fs'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import type { Handler } from '#http/exchange.ts'
import type { HttpPlan } from '#http/plan.ts'
import { createHttpServer } from '#http/server.ts'
import { createTrust } from '#http/trust.ts'
import { createObservation } from '#run/observe.ts'

/** Serve a handler on 127.0.0.1, over TLS when the files of a certificate and its key are named. */
export async function serveBench(handler: Handler, port: number, tls: readonly string[]): Promise<void> {
  const server = createHttpServer({ limits: httpLimits(), handler, log: silent })
  const [cert, key] = tls.map((file) => readFileSync(file))
  const secure = cert && key && { tls: { cert, key, ALPNProtocols: ['h2', 'http/1.1'] } }
  const listener = await server.prepare({ address: '127.0.0.1', port, ...secure })
  listener.commit()
}

/** Put before a handler what stands before all: counts, and what `observing` says in JSON beside them. */
export async function observed(inner: Handler, http: HttpPlan, observing: string): Promise<Handler> {
  const options = { folder: '.', log: silent, accessLog: null, isTrusted: createTrust([]), worker: '0' }
  const observe = { accessLog: null, identity: null, traces: null, ...JSON.parse(observing) }
  const plan = { http, observe: { ...observe, metrics: { limitRoutes: 500 } } }
  const prepared = await createObservation(options).prepare(plan)
  prepared.commit()
  return prepared.observe(inner)
}
