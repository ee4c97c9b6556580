import type { Problem } from '#core/problem.ts'
import type { HostConfig } from '#http/host-config.ts'
import { groupByDomain, hostKey } from './domains.ts'
import { type HostAnswer, readHost, type Surroundings } from './host.ts'
import { expandIncludes, type ResolveInclude } from './include.ts'
import { readBodyLimit } from './limits.ts'
import { createLedger, type Note, note, remark, sweep, take } from './notes.ts'
import { type Directive, parseNginx } from './parse.ts'
import { inside } from './reasons.ts'
import { readSite, type Site } from './site.ts'

/** A Portico file as it is written. */
export type PorticoFile = {
  readonly $schema: string
  readonly address?: readonly string[]
  readonly limits?: { readonly http: { readonly body: string } }
  readonly domains: Readonly<Record<string, { readonly hosts: Readonly<Record<string, HostConfig>> }>>
}

export type ImportedNginx = {
  readonly value: PorticoFile
  /** in order of file and line */
  readonly notes: readonly Note[]
  /** faults of syntax; what stands before one is imported */
  readonly problems: readonly Problem[]
  /** what was read, included files in it */
  readonly directives: readonly Directive[]
  /** those that the file comes from; each of the others is noted, or inside one that is */
  readonly carried: readonly Directive[]
}

/**
 * Make a Portico file of nginx configuration.
 *
 * @param text of nginx.conf, of a file of sites-enabled, or of a snippet of `server` blocks
 * @param options.file name for notes and problems
 * @param options.resolve finds included files; none are found without it
 * @returns the file as a value, and by line what did not come over as it was
 */
export function importNginx(
  text: string,
  options: { readonly file: string; readonly resolve?: ResolveInclude },
): ImportedNginx {
  const ledger = createLedger()
  const { directives: written, problems: found } = parseNginx(text, options.file)
  const problems = [...found]
  const directives = expandIncludes(written, { ledger, resolve: options.resolve ?? (() => []), problems })
  const blocks = directives.filter(({ name }) => name === 'http')
  for (const block of blocks) take(ledger, block)
  const http = [...directives, ...blocks.flatMap(({ block }) => block ?? [])]
  const upstreams = new Map(
    http.filter(({ name }) => name === 'upstream').map((upstream) => [upstream.args[0] ?? '', upstream]),
  )
  const sites = http
    .filter(({ name, block }) => name === 'server' && block !== null)
    .flatMap((server) => readSite(server, ledger) ?? [])
  const inForce = http.filter(({ block }) => block === null)
  const value = readFile(sites, http, { ledger, upstreams, http: inForce })
  for (const upstream of upstreams.values()) {
    if (!ledger.taken.has(upstream))
      note(ledger, upstream, { level: 'dropped', message: 'No proxy_pass that was carried over names it.' })
  }
  sweep(ledger, directives)
  const notes = ledger.notes.toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line)
  return {
    value,
    notes,
    problems,
    directives,
    carried: [...ledger.taken].filter((directive) => !ledger.noted.has(directive)),
  }
}

type Hosts = Map<string, { answer: HostConfig; readonly site: Site }>

function readFile(
  sites: readonly Site[],
  http: readonly Directive[],
  surroundings: Surroundings,
): PorticoFile {
  const hosts: Hosts = new Map()
  // HTTPS first: what a name answers over plain HTTP is only a redirect, or a second opinion.
  const ordered = [...sites.filter((site) => site.overTls), ...sites.filter((site) => !site.overTls)]
  for (const site of ordered) for (const name of site.names) addHost(hosts, site, name, surroundings)
  for (const { directive, names, isDefault } of sites) {
    if (names.length > 0 || isDefault) continue
    const message = `None of its names can be a host.${inside(directive)}`
    note(surroundings.ledger, directive, { level: 'not understood', message })
  }
  const grouped = groupByDomain([...hosts.keys()])
  const names = new Set([...grouped.values()].map(({ name }) => name))
  for (const site of ordered.filter(({ isDefault }) => isDefault))
    addDefault(hosts, site, [...names], surroundings)
  const body = readBodyLimit(http, surroundings.ledger)
  const address = [...new Set(sites.flatMap((site) => site.addresses))]
  return {
    $schema: './node_modules/portico/portico.schema.json',
    ...(address.length === 0 ? {} : { address }),
    ...(body === undefined ? {} : { limits: { http: { body } } }),
    domains: groupHosts(hosts, surroundings),
  }
}

function addHost(hosts: Hosts, site: Site, name: string, surroundings: Surroundings): void {
  const { ledger } = surroundings
  const { directive } = site
  const answer = readHost(site, name, surroundings)
  const before = hosts.get(name)
  if (answer === 'https') {
    if (before === undefined) {
      hosts.set(name, { answer: UNKNOWN, site })
      remark(ledger, directive, {
        level: 'not understood',
        message: `${name} is sent to HTTPS, where no server of this file answers it: 503.`,
        host: name,
      })
    } else
      remark(ledger, directive, { level: 'dropped', message: 'Portico sends plain HTTP to HTTPS by itself.' })
    return
  }
  if (before === undefined) {
    hosts.set(name, { answer: completeHost(answer, site, name, surroundings), site })
    return
  }
  const isSame = JSON.stringify({ ...before.answer, http: undefined }) === JSON.stringify(answer ?? UNKNOWN)
  if (isSame && before.site.overTls && site.overPlain) before.answer = { ...before.answer, http: 'serve' }
  if (isSame) return
  const message = `${name} is answered by the server on line ${before.site.directive.at.line}; what this one answered is not carried over.`
  remark(ledger, directive, { level: 'not understood', message, host: name })
}

/** What answers until its owner says what should. */
const UNKNOWN: HostConfig = { respond: { status: 503 } }

function completeHost(
  answer: Exclude<HostAnswer, 'https'>,
  site: Site,
  host: string,
  { ledger }: Surroundings,
): HostConfig {
  if (answer === null) {
    const message = `Nothing that answered ${host} could be carried over; 503 is answered until you name it.`
    remark(ledger, site.directive, { level: 'not understood', message, host })
    return UNKNOWN
  }
  if (site.overTls) return site.overPlain ? { ...answer, http: 'serve' } : answer
  const message =
    'It was served over plain HTTP only. Portico gets a certificate and redirects to HTTPS; "http": "serve" answers over HTTP too.'
  remark(ledger, site.directive, { level: 'assumed', message, host })
  return answer
}

/** A server for names that no other has: `*` in every domain. */
function addDefault(hosts: Hosts, site: Site, domains: readonly string[], surroundings: Surroundings): void {
  const { ledger } = surroundings
  const { directive } = site
  if (site.names.length > 0) {
    remark(ledger, directive, {
      level: 'dropped',
      message: 'Names that stand nowhere in the file are answered by nobody, not by this server.',
    })
    return
  }
  const targets = domains.length === 0 ? [PLACEHOLDER] : domains.map((domain) => `*.${domain}`)
  for (const name of targets) {
    const answer = readHost(site, name, surroundings)
    if (answer === 'https' || isRefusal(answer)) {
      remark(ledger, directive, {
        level: 'dropped',
        message: 'Names that stand nowhere in the file are answered by nobody anyway.',
      })
    } else if (!hosts.has(name)) {
      hosts.set(name, { answer: completeHost(answer, site, name, surroundings), site })
      const message =
        domains.length === 0
          ? `No name stands in the file: write your domain instead of ${name}.`
          : `It answered every other name; here it is "*" of ${name.slice(2)}.`
      remark(ledger, directive, { level: 'assumed', message, host: name })
    }
  }
}

const PLACEHOLDER = 'example.com'

function isRefusal(answer: HostAnswer): boolean {
  if (answer === null || answer === 'https') return false
  return typeof answer.respond === 'object' && (answer.respond.status ?? 200) >= 400
}

function groupHosts(hosts: Hosts, { ledger }: Surroundings): PorticoFile['domains'] {
  const grouped = groupByDomain([...hosts.keys()])
  const domains: Record<string, { hosts: Record<string, HostConfig> }> = {}
  const rank = (name: string): number =>
    name.startsWith('*') ? 3 : name === grouped.get(name)!.name ? 0 : name.startsWith('www.') ? 1 : 2
  for (const name of [...hosts.keys()].sort((a, b) => rank(a) - rank(b))) {
    const { answer, site } = hosts.get(name)!
    const domain = grouped.get(name)!
    if (domain.guess !== null) remark(ledger, site.directive, { level: 'assumed', message: domain.guess })
    domains[domain.name] ??= { hosts: {} }
    domains[domain.name]!.hosts[hostKey(name, domain.name)] = answer
  }
  return domains
}
