import { relative } from 'node:path'
import type { ListenerPlan } from '#plan/listeners.ts'
import type { Portico } from '#run/portico.ts'
import type { HostRow } from '#run/status.ts'

/** Commands that a person can paste to see that it works; for the first host that leads to a service which answers, or any. */
export function tryLines({ front, facts, file }: Portico, rows: readonly HostRow[]): string[] {
  const { listeners, http, tls } = front.plan
  const hosts = http.hosts.filter(
    ({ name }) => !name.startsWith('*.') && name.endsWith('.localhost') === facts.dev,
  )
  const well = new Set(
    rows.flatMap(({ host, state }) => (/^(ready|answers|starting)/.test(state) ? [host] : [])),
  )
  const answering = hosts.filter(({ name }) => well.has(name))
  const serving = answering.find(({ routes }) => routes.some(({ action }) => action.kind === 'service'))
  const host = serving ?? answering[0] ?? hosts[0]
  if (host === undefined) return []
  const https = listeners.find(({ protocol }) => protocol === 'https')
  const dns = listeners.find(({ protocol }) => protocol === 'dns')
  const isLocal = tls.certificates.some(({ issuer }) => issuer === 'local')
  const lines: string[] = []
  if (https !== undefined) {
    const port = https.port === 443 ? '' : `:${https.port}`
    // Clients know by themselves where .localhost names lead (RFC 6761 §6.3).
    const resolve = facts.dev ? '' : ` --resolve ${host.name}:${https.port}:${reachable(https)}`
    const trust = isLocal ? ` --cacert ${relative('.', front.authority.root.path)}` : ''
    lines.push(`curl${trust}${resolve} https://${host.name}${port}/`)
  }
  if (dns !== undefined) lines.push(`dig @${reachable(dns)} -p ${dns.port} ${host.name}`)
  const portico = process.env['npm_lifecycle_event'] === undefined ? 'portico' : 'npm run -s portico --'
  const config = file === null || file === 'portico.jsonc' ? '' : ` --config ${file}`
  lines.push(`${portico} explain ${host.name}${config}`)
  if (isLocal) lines.push(`${portico} trust${config}    # browsers then believe the certificates`)
  return lines
}

/** An address that this machine reaches the listener at. */
function reachable({ address }: ListenerPlan): string {
  if (address === '0.0.0.0') return '127.0.0.1'
  if (address === '::') return '::1'
  return address
}
