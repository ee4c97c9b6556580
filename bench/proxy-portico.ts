/**
 * Portico's data path with one service under one name: `proxy-portico.ts PORT ORIGIN_PORT [OBSERVE] [CERTIFICATE KEY]`,
 * where OBSERVE is JSON of what is observed beside metrics, or `off`.
 */
import { httpLimits } from '#http/config.ts'
import { createForward } from '#http/forward.ts'
import { createOrigins } from '#http/origin/origins.ts'
import { createRouter } from '#http/router.ts'
import { createTrust } from '#http/trust.ts'
import { originAt } from '../test/origin.ts'
import { planOf, routeOf } from '../test/routes.ts'
import { observed, serveBench } from './portico.ts'

const [port, originPort, observing = '{}', ...tls] = process.argv.slice(2)
const origins = createOrigins({ limits: httpLimits({ originConnections: 4096 }), portOf: () => null })
const action = { kind: 'service', origins: [originAt(Number(originPort))], processId: null } as const
const route = routeOf('127.0.0.1', '/**', action)
const host = { id: 'host:127.0.0.1', key: '', from: route.from, name: '127.0.0.1', redirectToHttps: false }
const http = planOf([{ ...host, routes: [route] }])
const isTrusted = createTrust([])
const { handle } = createRouter(http, () =>
  createForward(action, { origins, pseudonym: 'portico', isTrusted }),
)
await serveBench(observing === 'off' ? handle : await observed(handle, http, observing), Number(port), tls)
