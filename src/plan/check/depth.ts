import type { Position, Problem } from '#core/problem.ts'
import { parentOf } from '#dns/records/names.ts'
import type { Across } from './across.ts'
import { indexServed, type Served, servedBy } from './served.ts'

/**
 * In DNS a wildcard stands for names of any depth (RFC 4592 §2.1.1), in a certificate for one label (RFC 9525 §6.3):
 * names two labels below one are found here, and no certificate covers them.
 *
 * @param targets names that MX, SRV and the like lead to: nobody opens those in a browser
 */
export function checkDepth(across: Across, targets: ReadonlySet<string>): Problem[] {
  const { hosts, drafted, plans, facts } = across
  if (facts.dev || !across.listeners.some(({ protocol }) => protocol === 'https')) return []
  const served = indexServed(hosts.map(({ name }) => name))
  const records = drafted.flatMap(({ input, drafts }) => {
    const ours = new Set(input.addresses)
    return drafts
      .filter(({ why, type, data, owner }) => {
        const leadsHere = ['A', 'AAAA'].includes(type)
          ? ours.has(data)
          : type === 'CNAME' && served.hosts.has(data.toLowerCase())
        return why === 'written' && leadsHere && !targets.has(owner)
      })
      .flatMap(({ owner, from }) => checkName(owner, from, served))
  })
  const redirects = plans.flatMap(({ routes }) =>
    routes.flatMap(({ action, from }) => {
      if (action.kind !== 'redirect' || !/^https:/i.test(action.to) || !URL.canParse(action.to)) return []
      return checkName(`${new URL(action.to).hostname}.`, from, served)
    }),
  )
  const told = new Set<string>()
  return [...records, ...redirects].filter(({ at, message }) => {
    const isNew = !told.has(`${at.line} ${message}`)
    told.add(`${at.line} ${message}`)
    return isNew
  })
}

function checkName(name: string, at: Position, served: Served): Problem[] {
  const host = servedBy(name, served)
  if (host === undefined || host === name || host === `*.${parentOf(name)}`) return []
  const message = `${name.slice(0, -1)} is answered by the host "${host.slice(0, -1)}", but the "*" of a certificate stands for one label only: clients refuse it (RFC 9525 §6.3).`
  const fix = `"hosts": { "*.${parentOf(name).slice(0, -1)}": … }, or a host of that name`
  return [{ level: 'error', code: 'tls/wildcard-depth', at, message, fix }]
}
