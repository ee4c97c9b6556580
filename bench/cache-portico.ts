/**
 * Portico's data path with a cache before one service, for the cache benches:
 * `cache-portico.ts PORT ORIGIN_PORT memory|disk|large disk|h2 [FOLDER]`.
 */
import { createCounts } from '#cache/counts.ts'
import { createCache } from '#cache/handler.ts'
import { planCache } from '#cache/plan.ts'
import { openStore } from '#cache/store/open-store.ts'
import { createStoreMemory } from '#cache/store/shared.ts'
import { Verdicts } from '#cache/verdicts.ts'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import { createForward } from '#http/forward.ts'
import { createOrigins } from '#http/origin/origins.ts'
import { createRouter } from '#http/router.ts'
import { createHttpServer } from '#http/server.ts'
import { createTrust } from '#http/trust.ts'
import { originAt } from '../test/origin.ts'
import { planOf, routeOf } from '../test/routes.ts'

const [port, originPort] = process.argv.slice(2, 4).map(Number)
const [mode = 'memory', folder = ''] = process.argv.slice(4)
const limits = httpLimits()
const origins = createOrigins({ limits, portOf: () => null })
const action = { kind: 'service', origins: [originAt(originPort!)], processId: null } as const
const route = routeOf('127.0.0.1', '/**', action)
const host = { id: 'host:127.0.0.1', key: '', from: route.from, name: '127.0.0.1', redirectToHttps: false }
const hasDisk = mode === 'disk' || mode === 'large disk'
const memory = createStoreMemory({
  budgetOctets: 512 * 2 ** 20,
  ...(hasDisk ? { disk: { folder, budgetOctets: 2 ** 31 } } : {}),
  ...(mode === 'large disk' ? { memoryObjectOctets: 2 ** 20 } : {}),
})
const store = openStore(memory, { worker: 0, keepsDisk: hasDisk })
const { handle } = createRouter(planOf([{ ...host, routes: [route] }]), () =>
  createCache(
    planCache(true)!,
    { store, now: Date.now, log: silent, counts: createCounts(), verdicts: new Verdicts() },
    createForward(action, { origins, pseudonym: 'portico', isTrusted: createTrust([]) }),
  ),
)
const server = createHttpServer({ limits, handler: handle, log: silent })
const listener = await server.prepare({ address: '127.0.0.1', port: port!, http2: mode === 'h2' })
listener.commit()
