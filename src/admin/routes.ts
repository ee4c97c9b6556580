import type { RollCommand } from '#dns/dnssec/roll.ts'
import { mergeBusiest } from '#metrics/busiest.ts'
import { expose } from '#metrics/exposition.ts'
import { listByQuery, purgeByQuery, showByQuery } from '#run/cache-control.ts'
import { type DnssecStatus, dnssecStatus } from '#run/dns/dnssec-status.ts'
import { explain } from '#run/explain/explain.ts'
import { seeFile } from '#run/explain/file.ts'
import { hostOf, parseQuestion } from '#run/explain/question.ts'
import type { Front } from '#run/front.ts'
import { metricsOf } from '#run/metrics.ts'
import type { Portico } from '#run/portico.ts'
import { statusOf } from '#run/status.ts'
import { certificateRows } from '#run/tls/certificate-rows.ts'
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
    'POST /cache/purge': (query) => purgeByQuery(front, query),
    'GET /cache/ls': (query) => listByQuery(front, query),
    'GET /cache/show': (query) => showByQuery(front, query),
    'POST /cache/warm': (query) => front.warm(`${query}`),
    'GET /certs': () => certificateRows(front),
    'POST /certs/renew': (query) => renew(front, query.get('name') ?? ''),
    'POST /certs/roll-keys': async () => {
      await front.keeper.rollKeys()
      return { message: 'The key of the account with each authority was replaced.' }
    },
    'GET /metrics': async (_query, accept) => new TextAnswer(expose(await metricsOf(portico), accept)),
    'GET /clients': async () => mergeBusiest(await front.busyClients(), LIMIT_CLIENTS),
    'GET /transfers': () => front.transfers(),
    'POST /reopen-log': () => {
      const reopened = front.plan.observe.accessLog !== null
      if (reopened) front.reopenLog()
      return { reopened }
    },
    'GET /dnssec': () => dnssecOf(portico),
    'POST /dnssec/roll': (query) => tellDnssec(portico, query.get('domain') ?? '', 'roll'),
    'POST /dnssec/submitted': (query) => tellDnssec(portico, query.get('domain') ?? '', 'submitted'),
    'GET /explain': async (query) => {
      const question = parseQuestion([query.get('target') ?? ''])
      if (typeof question === 'string') throw new Error(question)
      const { origins } = await front.snapshot()
      const certificate = await front.certificates.describe(hostOf(question))
      const live = {
        origins,
        processes: front.processes.states(),
        certificate,
        cache: { store: front.store, nowMs: Date.now(), verdicts: await front.verdicts() },
        signed: front.dns.dnssec.saved(),
        nowSeconds: Math.floor(Date.now() / 1000),
        secondaries: front.dns.secondaries(),
        onAir: { find: front.liveStream, nowMs: Date.now() },
      }
      const file = await seeFile(question, front.plan, portico.folder)
      const world = { plan: front.plan, zones: front.dns.zones, live, dns: front.dns.known(), file }
      return explain(question, world, query.get('from'))
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

function dnssecOf({ front }: Portico): DnssecStatus[] {
  return dnssecStatus(front.plan.dns.zones, front.dns.dnssec.saved(), front.dns.dnssec.parent)
}

/** Tell the keeper of keys, and say where the domain stands then. */
async function tellDnssec(portico: Portico, domain: string, command: RollCommand): Promise<DnssecStatus> {
  const fault = await portico.front.dns.dnssec.command(`zone:${domain}`, command)
  if (fault !== null) throw new Error(fault)
  return dnssecOf(portico).find((status) => status.domain === domain)!
}
