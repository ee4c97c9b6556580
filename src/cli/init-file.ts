import { inline } from '#config/inline.ts'
import type { HostConfig } from '#http/host-config.ts'
import type { ServiceConfig } from '#http/service-config.ts'

/** What `portico init` has to know. */
export type InitAnswers = {
  /** without the final dot */
  readonly domain: string
  /** mail address; none when empty */
  readonly contact: string
  /** public addresses of this machine; those of its interfaces when there is none */
  readonly address: readonly string[]
  /** folder of the domain's own site; none when empty */
  readonly files: string
  readonly services: readonly NamedService[]
}

export type NamedService = { readonly host: string; readonly service: ServiceConfig }

/**
 * Read a service as a person says it in one line.
 *
 * @param text `NAME=PORT`, `NAME=URL` or `NAME=COMMAND`
 * @returns the service, or a sentence that says what is wanted
 * @example readService('api=8081') // { host: 'api', service: 8081 }
 */
export function readService(text: string): NamedService | string {
  const at = text.indexOf('=')
  const host = text.slice(0, at).trim()
  const target = text.slice(at + 1).trim()
  if (at === -1 || host === '' || target === '') {
    return `"${text}" is no service; a name and a port, URL or command are wanted: "api=8081", "app=node server.js".`
  }
  if (!/^(@|\*|(\*\.)?[\p{L}\p{N}][\p{L}\p{N}.-]*)$/u.test(host)) {
    return `"${host}" is no host name; one below the domain is wanted, such as "api", "@" for the domain itself or "*" for every other.`
  }
  if (/^\d+$/.test(target)) {
    const port = Number(target)
    return port >= 1 && port <= 65_535
      ? { host, service: port }
      : `The port is ${target}; 1 to 65535 is wanted.`
  }
  return { host, service: /^https?:\/\//.test(target) ? target : { run: target } }
}

/** Write the answers as a Portico file with comments. */
export function printInitFile({ domain, contact, address, files, services }: InitAnswers): string {
  return `{
  // What ${domain} is. "portico check" finds what is wrong here, and "portico explain" says why an answer is as it is.
  "$schema": "./node_modules/portico/portico.schema.json",

  // Where A and AAAA records of the hosts point: the public addresses of this machine.
  ${address.length > 0 ? `"address": ${inline(address)}` : '// "address": ["203.0.113.10"]'},

  // Who looks after the domain: in its SOA record, and for the certificate authority.
  ${contact === '' ? `// "contact": "admin@${domain}"` : `"contact": ${inline(contact)}`},

  "domains": {
    ${inline(domain)}: {
      // What answers under each name: "@" is ${domain} itself, "*" every other name. Records follow from it.
      "hosts": {
${hostLines(domain, files, services).join(',\n')}
      },

      // Other records, such as "@": { "MX": "10 mail.example.net", "TXT": "v=spf1 mx -all" }.
      "records": {}
    }
  }
}
`
}

function hostLines(domain: string, files: string, services: readonly NamedService[]): string[] {
  const named = services.map(({ host, service }): [string, HostConfig] => [host, { service }])
  const hosts = new Map<string, HostConfig>(named)
  const own: [string, HostConfig][] = []
  if (!hosts.has('@')) own.push(['@', files === '' ? { respond: `${domain} is here.\n` } : { files }])
  if (!hosts.has('www')) own.push(['www', { redirect: `https://${domain}` }])
  const all = [...own, ...hosts]
  const width = Math.max(...all.map(([host]) => inline(host).length)) + 1
  return all.map(([host, config]) => `        ${`${inline(host)}:`.padEnd(width)} ${inline(config)}`)
}
