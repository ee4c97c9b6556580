import { certificateRows } from '#run/certificate-rows.ts'
import { explain, parseQuestion } from '#run/explain.ts'
import type { Front } from '#run/front.ts'
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
    'GET /certs': () => certificateRows(front),
    'POST /certs/renew': (query) => renew(front, query.get('name') ?? ''),
    'POST /certs/roll-keys': async () => {
      await front.keeper.rollKeys()
      return { message: 'The key of the account with each authority was replaced.' }
    },
    'GET /explain': (query) => {
      const question = parseQuestion([query.get('target') ?? ''])
      if (typeof question === 'string') throw new Error(question)
      const live = {
        origins: front.origins.states(),
        processes: front.processes.states(),
        certificate: (name: string) => front.certificates.describe(name),
      }
      return explain(question, { plan: front.plan, zones: front.zones, live }, query.get('from'))
    },
  }
}

/** @throws {Error} when no authority is asked for such a certificate */
function renew({ plan, keeper }: Front, name: string): { message: string } {
  const wildcard = `*${name.slice(name.indexOf('.'))}`
  const found = keeper.states().filter(({ names }) => names.includes(name) || names.includes(wildcard))
  for (const { id } of found) keeper.renew(id)
  if (found.length > 0) {
    const names = found[0]!.names.join(' ')
    return { message: `The certificate for ${names} is ordered again; "portico certs" shows how it goes.` }
  }
  const isKnown = plan.tls.certificates.some(({ names }) => names.includes(name))
  throw new Error(
    isKnown
      ? `The certificate for ${name} is not ordered from an authority: it renews by itself.`
      : `No certificate has the name ${name}. "portico certs" lists them.`,
  )
}
