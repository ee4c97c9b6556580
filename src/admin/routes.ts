import { mergeBusiest } from '#metrics/busiest.ts'
import { expose } from '#metrics/exposition.ts'
import { explain, hostOf, parseQuestion } from '#run/explain.ts'
import { metricsOf } from '#run/metrics.ts'
import type { Portico } from '#run/portico.ts'
import { statusOf } from '#run/status.ts'
import { type AdminRoutes, TextAnswer } from './server.ts'

/** The port that nobody wrote: when it is taken another one serves as well. */
export const ADMIN_DEFAULT = 9053

/** Rows that `portico top` may show. */
const LIMIT_CLIENTS = 100

/** What the command line may ask a running Portico. */
export function adminRoutes(portico: Portico): AdminRoutes {
  const { front } = portico
  return {
    'GET /status': () => statusOf(portico),
    'GET /plan': () => front.plan,
    'POST /reload': () => portico.reload(),
    'GET /metrics': async (_query, accept) => new TextAnswer(expose(await metricsOf(portico), accept)),
    'GET /clients': async () => mergeBusiest(await front.busyClients(), LIMIT_CLIENTS),
    'POST /reopen-log': () => {
      front.reopenLog()
      return { reopened: true }
    },
    'GET /explain': async (query) => {
      const question = parseQuestion([query.get('target') ?? ''])
      if (typeof question === 'string') throw new Error(question)
      const { origins } = await front.snapshot()
      const certificate = await front.certificates.describe(hostOf(question))
      const live = {
        origins,
        processes: front.processes.states(),
        certificate,
        secondaries: front.secondaries(),
      }
      return explain(question, { plan: front.plan, zones: front.zones, live }, query.get('from'))
    },
  }
}
