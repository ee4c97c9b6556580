/** Portico's data path with one service under one name: `proxy-portico.ts PORT ORIGIN_PORT [CERTIFICATE KEY]`. */
import { httpLimits } from '#http/config.ts'
import { createForward } from '#http/forward.ts'
import { createOrigins } from '#http/origin/origins.ts'
import { createRouter } from '#http/router.ts'
import { createTrust } from '#http/trust.ts'
import { originAt } from '../test/origin.ts'
import { planOf, routeOf } from '../test/routes.ts'
import { serveBench } from './portico.ts'

const [port, originPort, ...tls] = process.argv.slice(2)
const origins = createOrigins({ limits: httpLimits(), portOf: () => null })
const action = { kind: 'service', origins: [originAt(Number(originPort))], processId: null } as const
const route = routeOf('127.0.0.1', '/**', action)
const host = { id: 'host:127.0.0.1', key: '', from: route.from, name: '127.0.0.1', redirectToHttps: false }
const { handle } = createRouter(planOf([{ ...host, routes: [route] }]), () =>
  createForward(action, { origins, pseudonym: 'portico', isTrusted: createTrust([]) }),
)
await serveBench(handle, Number(port), tls)
