/**
 * Portico's data path with one service under one name, for the benches: `proxy-portico.ts PORT ORIGIN_PORT [OBSERVE]`,
 * where OBSERVE is JSON of what is observed beside metrics, or `off`.
 */
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import type { Handler } from '#http/exchange.ts'
import { createForward } from '#http/forward.ts'
import { createOrigins } from '#http/origin/origins.ts'
import { createRouter } from '#http/router.ts'
import { createHttpServer } from '#http/server.ts'
import { createTrust } from '#http/trust.ts'
import { createObservation } from '#run/observe.ts'
import { originAt } from '../test/origin.ts'
import { planOf, routeOf } from '../test/routes.ts'

const [port, originPort] = process.argv.slice(2, 4).map(Number)
const observing = process.argv[4] ?? '{}'
const limits = httpLimits()
const origins = createOrigins({ limits, portOf: () => null })
const action = { kind: 'service', origins: [originAt(originPort!)], processId: null } as const
const route = routeOf('127.0.0.1', '/**', action)
const host = { id: 'host:127.0.0.1', key: '', from: route.from, name: '127.0.0.1', redirectToHttps: false }
const http = planOf([{ ...host, routes: [route] }])
const isTrusted = createTrust([])
const { handle } = createRouter(http, () =>
  createForward(action, { origins, pseudonym: 'portico', isTrusted }),
)
const handler = observing === 'off' ? handle : await observed(handle)
const server = createHttpServer({ limits, handler, log: silent })
const listener = await server.prepare({ address: '127.0.0.1', port: port! })
listener.commit()

async function observed(inner: Handler): Promise<Handler> {
  const observation = createObservation({ folder: '.', log: silent, accessLog: null, isTrusted, worker: '0' })
  const observe = { accessLog: null, identity: null, traces: null, ...JSON.parse(observing) }
  const prepared = await observation.prepare({ http, observe: { ...observe, metrics: { limitRoutes: 500 } } })
  prepared.commit()
  return prepared.observe(inner)
}
