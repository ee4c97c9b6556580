import { listByQuery, purgeByQuery, showByQuery, warmByQuery } from '#run/cache-control.ts'
import { explain, parseQuestion } from '#run/explain.ts'
import type { Portico } from '#run/portico.ts'
import { statusOf } from '#run/status.ts'
import type { AdminRoutes } from './server.ts'

/** The port that nobody wrote: when it is taken another one serves as well. */
export const ADMIN_DEFAULT = 9053

/** What the command line may ask a running Portico. */
export function adminRoutes(portico: Portico): AdminRoutes {
  const { front } = portico
  return {
    'GET /status': () => statusOf(portico),
    'GET /plan': () => front.plan,
    'POST /reload': () => portico.reload(),
    'POST /cache/purge': (query) => purgeByQuery(front, query),
    'GET /cache/ls': (query) => listByQuery(front, query),
    'GET /cache/show': (query) => showByQuery(front, query),
    'POST /cache/warm': (query) => warmByQuery(front.router.handle, query),
    'GET /explain': (query) => {
      const question = parseQuestion([query.get('target') ?? ''])
      if (typeof question === 'string') throw new Error(question)
      const live = {
        origins: front.origins.states(),
        processes: front.processes.states(),
        certificate: (name: string) => front.certificates.describe(name),
        cache: { store: front.store, nowMs: Date.now() },
      }
      return explain(question, { plan: front.plan, zones: front.zones, live }, query.get('from'))
    },
  }
}
