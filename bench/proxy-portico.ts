/** Portico's data path with one service under one name, for the proxy bench: `proxy-portico.ts PORT ORIGIN_PORT`. */
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import { createForward } from '#http/forward.ts'
import { createOrigins } from '#http/origin/origins.ts'
import { createRouter } from '#http/router.ts'
import { createHttpServer } from '#http/server.ts'
import { createTrust } from '#http/trust.ts'
import { originAt } from '../test/origin.ts'
import { planOf, routeOf } from '../test/routes.ts'

const [port, originPort] = process.argv.slice(2).map(Number)
const limits = httpLimits()
const origins = createOrigins({ limits, portOf: () => null })
const action = { kind: 'service', origins: [originAt(originPort!)], processId: null } as const
const route = routeOf('127.0.0.1', '/**', action)
const host = { id: 'host:127.0.0.1', key: '', from: route.from, name: '127.0.0.1', redirectToHttps: false }
const { handle } = createRouter(planOf([{ ...host, routes: [route] }]), () =>
  createForward(action, { origins, pseudonym: 'portico', isTrusted: createTrust([]) }),
)
const server = createHttpServer({ limits, handler: handle, log: silent })
const listener = await server.prepare({ address: '127.0.0.1', port: port! })
listener.commit()
