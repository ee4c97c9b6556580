import { isIP } from 'node:net'
import type { RouteConfig } from '#http/host-config.ts'
import type { OriginConfig, ServiceConfig, ServiceGroup } from '#http/service-config.ts'
import { urlOf } from '#http/service-plan.ts'
import { type Ledger, note, remark, take } from './notes.ts'
import type { Directive } from './parse.ts'
import { fill, inForce, type Scope, type Variables } from './scope.ts'

export type Upstreams = ReadonlyMap<string, Directive>

type Passing = {
  readonly ledger: Ledger
  readonly upstreams: Upstreams
  readonly variables: Variables
  readonly scope: Scope
  readonly host: string
  /** the path of the location, whose place a path in `proxy_pass` takes */
  readonly prefix: string
  /** the location is for this path alone */
  readonly isExact: boolean
}

/** Read `proxy_pass` or `grpc_pass` as a service; null when it cannot be one, which is noted. */
export function readPass(pass: Directive, passing: Passing): RouteConfig | null {
  const { ledger, host, upstreams } = passing
  const lost = (message: string): null => {
    note(ledger, pass, { level: 'not understood', message, host })
    return null
  }
  const written = pass.args[0] ?? ''
  const text = fill(written, passing.variables)
  if (text === undefined) return lost(`${written} depends on the request; name the origin.`)
  const match = /^(https?|grpcs?):\/\/([^/?#]+)(.*)$/i.exec(
    pass.name === 'grpc_pass' && !text.includes('://') ? `grpc://${text}` : text,
  )
  if (match === null) return lost(`${text} is no URL of an origin.`)
  const [, spoken = '', authority = '', path = ''] = match
  const scheme = SCHEMES[spoken.toLowerCase()] ?? 'http'
  if (authority.toLowerCase() === 'unix:') {
    if (scheme !== 'http') return lost('Portico speaks plain HTTP/1.1 at Unix sockets.')
    const [socketPath = '', replaced = ''] = path.split(':')
    take(ledger, pass)
    return { service: `unix:${socketPath}`, ...readReplaced(pass, replaced, passing) }
  }
  take(ledger, pass)
  const upstream = upstreams.get(authority)
  if (upstream === undefined) noteAuthority(pass, authority, passing)
  const group =
    upstream === undefined ? { url: [`${scheme}://${authority}`] } : readUpstream(upstream, scheme, ledger)
  if (group.url.length === 0) return lost(`Upstream ${authority} has no server that Portico can reach.`)
  return { service: readService(group, scheme, passing), ...readReplaced(pass, path, passing) }
}

const SCHEMES: Readonly<Record<string, string>> = { http: 'http', https: 'https', grpc: 'h2c', grpcs: 'h2' }

type Group = ServiceGroup & { readonly url: readonly OriginConfig[] }

function readService(group: Group, scheme: string, { scope }: Passing): ServiceConfig {
  const { url, ...options } = group
  // nginx does not look at an origin's certificate unless told to; Portico does unless told not to.
  const isVerified =
    scheme === 'http' || scheme === 'h2c' || inForce(scope, 'proxy_ssl_verify')?.args[0] === 'on'
  const all = isVerified ? options : { verify: false, ...options }
  if (Object.keys(all).length === 0) return shorten(url)
  return { url: url.length === 1 ? urlOf(url[0]!) : url, ...all }
}

/** A path in `proxy_pass` takes the place of the location's. */
function readReplaced(
  pass: Directive,
  path: string,
  { ledger, prefix, isExact, host }: Passing,
): Pick<RouteConfig, 'strip' | 'rewrite'> {
  if (path === '' || path === prefix) return {}
  if (/[?#*\s]/.test(path) || path.endsWith('/') !== prefix.endsWith('/')) {
    const message = `nginx put ${path} in the place of ${prefix}; Portico passes paths on as they came, so the origin must answer under ${prefix}.`
    remark(ledger, pass, { level: 'not understood', message, host })
    return {}
  }
  if (isExact) return { rewrite: path }
  if (path === '/') return { strip: prefix.replace(/\/$/, '') }
  return { rewrite: `${path.replace(/\/$/, '')}/**` }
}

/** nginx names the origin in Host unless told to pass on what came: to a name elsewhere that matters. */
function noteAuthority(pass: Directive, authority: string, { ledger, scope, host }: Passing): void {
  const name = authority.replace(/:\d+$/, '')
  if (!name.includes('.') || isIP(name) !== 0) return
  if (scope.flat().some(({ name, args }) => name === 'proxy_set_header' && /^host$/i.test(args[0] ?? '')))
    return
  const message = `nginx sent "Host: ${authority}"; Portico passes on the name that was asked for.`
  remark(ledger, pass, { level: 'assumed', message, host })
}

/** An upstream's servers with their weights, the one in reserve, and the policy. */
function readUpstream(upstream: Directive, scheme: string, ledger: Ledger): Group {
  take(ledger, upstream)
  const url: OriginConfig[] = []
  let fallback: string | undefined
  let policy: ServiceGroup['policy']
  for (const directive of upstream.block ?? []) {
    policy ??= readPolicy(directive, ledger)
    if (directive.name !== 'server') continue
    const options = directive.args.slice(1)
    const origin = readServer(directive, scheme, ledger)
    if (origin === undefined) continue
    if (!options.includes('backup')) url.push(origin)
    else if (fallback === undefined) fallback = urlOf(origin)
    else note(ledger, directive, { level: 'not understood', message: 'One origin can stand in reserve.' })
  }
  return {
    url,
    ...(policy === undefined || url.length < 2 ? {} : { policy }),
    ...(fallback === undefined ? {} : { fallback }),
  }
}

function readServer(server: Directive, scheme: string, ledger: Ledger): OriginConfig | undefined {
  const [address = '', ...options] = server.args
  const isSocket = address.startsWith('unix:')
  if ((isSocket && scheme !== 'http') || options.includes('down')) {
    const message = isSocket
      ? 'Portico speaks plain HTTP/1.1 at Unix sockets.'
      : 'This origin is left out: it was down.'
    note(ledger, server, { level: 'not understood', message })
    return undefined
  }
  take(ledger, server)
  const weight = Number(options.find((option) => option.startsWith('weight='))?.slice('weight='.length) ?? 1)
  const other = options.filter((option) => option !== 'backup' && !option.startsWith('weight='))
  if (other.length > 0) {
    remark(ledger, server, {
      level: 'dropped',
      message: `${other.join(' ')}: Portico decides itself when an origin has failed.`,
    })
  }
  const url = isSocket ? address : `${scheme}://${address}`
  return weight > 1 ? { url, weight: Math.min(weight, 1000) } : url
}

/** The policy that a directive asks for, as far as Portico has the same. */
function readPolicy(directive: Directive, ledger: Ledger): ServiceGroup['policy'] {
  const policy = policyOf(directive)
  if (policy !== undefined) take(ledger, directive)
  return policy
}

function policyOf({ name, args: [key = ''] }: Directive): ServiceGroup['policy'] {
  if (name === 'least_conn') return 'least-connections'
  if (name === 'random') return 'random'
  if (name === 'ip_hash' || (name === 'hash' && /^\$(remote_addr|binary_remote_addr)$/.test(key)))
    return { hash: 'client' }
  const [, kind, of = ''] = (name === 'hash' && /^\$(http|cookie)_(\w+)$/.exec(key)) || []
  if (kind === 'cookie') return { hash: `cookie:${of}` }
  return kind === 'http' ? { hash: `header:${of.replaceAll('_', '-')}` } : undefined
}

/** A port alone for a service on this machine, a URL for another, a list for several. */
function shorten(origins: readonly OriginConfig[]): ServiceConfig {
  if (origins.length > 1) return origins
  const url = urlOf(origins[0]!)
  const local = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::(\d+))?$/.exec(url)
  const port = Number(local?.[1] ?? 80)
  return local === null || port < 1 || port > 65_535 ? url : port
}
