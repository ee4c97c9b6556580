import { relative } from 'node:path'
import type { Portico } from '#run/portico.ts'

/** Commands that a person can paste to see that it works; for the first host that leads to a service, or any. */
export function tryLines({ front, facts, file }: Portico): string[] {
  const { listeners, http } = front.plan
  const hosts = http.hosts.filter(({ name }) => !name.startsWith('*.') && !name.endsWith('.localhost'))
  const host = hosts.find(({ routes }) => routes.some(({ action }) => action.kind === 'service')) ?? hosts[0]
  if (host === undefined) return []
  const https = listeners.find(({ protocol }) => protocol === 'https')
  const dns = listeners.find(({ protocol }) => protocol === 'dns')
  const root = relative('.', front.authority.root.path)
  const lines: string[] = []
  if (https !== undefined) {
    const address = isWildcard(https.address) ? '127.0.0.1' : https.address
    const port = https.port === 443 ? '' : `:${https.port}`
    const name = facts.dev ? `${host.name}${host.name.endsWith('.localhost') ? '' : '.localhost'}` : host.name
    const resolve = facts.dev ? '' : ` --resolve ${name}:${https.port}:${bracket(address)}`
    lines.push(`curl --cacert ${root}${resolve} https://${name}${port}/`)
  }
  if (dns !== undefined) {
    const address = isWildcard(dns.address) ? '127.0.0.1' : dns.address
    lines.push(`dig @${address} -p ${dns.port} ${host.name}`)
  }
  const config = file === null || file === 'portico.jsonc' ? '' : ` --config ${file}`
  lines.push(
    `${command()} explain https://${host.name}${https === undefined || https.port === 443 ? '' : `:${https.port}`}/${config}`,
  )
  lines.push(`${command()} trust${config}    # so that browsers believe the certificates`)
  return lines
}

/** As this program was called: through npm in a checkout. */
function command(): string {
  return process.env['npm_lifecycle_event'] === undefined ? 'portico' : 'npm run -s portico --'
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}

function bracket(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
