import { isIP } from 'node:net'
import type { OriginConfig, ServiceConfig } from '#http/service-config.ts'
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
  /** the prefix of the location, whose place a path in `proxy_pass` takes */
  readonly prefix: string
}

/** Read `proxy_pass` as a service; null when it cannot be one, which is noted. */
export function readProxyPass(pass: Directive, passing: Passing): ServiceConfig | null {
  const { ledger, host, upstreams } = passing
  const lost = (message: string): null => {
    note(ledger, pass, { level: 'not understood', message, host })
    return null
  }
  const written = pass.args[0] ?? ''
  const text = fill(written, passing.variables)
  if (text === undefined) return lost(`${written} depends on the request; name the origin.`)
  const match = /^(https?):\/\/([^/?#]+)(.*)$/i.exec(text)
  if (match === null) return lost(`${text} is no URL of an origin.`)
  const [, scheme = '', authority = '', path = ''] = match
  if (authority.toLowerCase() === 'unix:') {
    if (scheme.toLowerCase() === 'https') return lost('Portico speaks plain HTTP at Unix sockets.')
    const [socketPath = '', replaced = ''] = path.split(':')
    take(ledger, pass)
    notePath(pass, replaced, passing)
    return `unix:${socketPath}`
  }
  take(ledger, pass)
  notePath(pass, path, passing)
  const upstream = upstreams.get(authority)
  if (upstream === undefined) noteAuthority(pass, authority, passing)
  const urls =
    upstream === undefined
      ? [`${scheme.toLowerCase()}://${authority}`]
      : readUpstream(upstream, scheme.toLowerCase(), ledger)
  if (urls.length === 0) return lost(`Upstream ${authority} has no server that Portico can reach.`)
  const service = shorten(urls)
  if (scheme.toLowerCase() === 'http') return service
  // nginx does not look at an origin's certificate unless told to; Portico does unless told not to.
  return inForce(passing.scope, 'proxy_ssl_verify')?.args[0] === 'on'
    ? service
    : { url: urls.length === 1 ? urlOf(urls[0]!) : urls, verify: false }
}

function notePath(pass: Directive, path: string, { ledger, prefix, host }: Passing): void {
  if (path === '' || path === prefix) return
  const message = `nginx put ${path} in the place of ${prefix}; Portico passes paths on as they came, so the origin must answer under ${prefix}.`
  remark(ledger, pass, { level: 'not understood', message, host })
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

/** An upstream's servers, with their weights. */
function readUpstream(upstream: Directive, scheme: string, ledger: Ledger): OriginConfig[] {
  take(ledger, upstream)
  return (upstream.block ?? []).flatMap((server) => {
    if (server.name !== 'server') return []
    const [address = '', ...options] = server.args
    const isSocket = address.startsWith('unix:')
    if (isSocket && scheme === 'https') {
      note(ledger, server, {
        level: 'not understood',
        message: 'Portico speaks plain HTTP at Unix sockets.',
      })
      return []
    }
    if (options.includes('backup') || options.includes('down')) {
      const message = 'This origin is left out: Portico takes all that are named in turn.'
      note(ledger, server, { level: 'not understood', message })
      return []
    }
    take(ledger, server)
    const weight = Number(
      options.find((option) => option.startsWith('weight='))?.slice('weight='.length) ?? 1,
    )
    const other = options.filter((option) => !option.startsWith('weight='))
    if (other.length > 0) {
      remark(ledger, server, {
        level: 'dropped',
        message: `${other.join(' ')}: Portico decides itself when an origin has failed.`,
      })
    }
    const url = isSocket ? address : `${scheme}://${address}`
    return [weight > 1 ? { url, weight: Math.min(weight, 1000) } : url]
  })
}

/** A port alone for a service on this machine, a URL for another, a list for several. */
function shorten(origins: readonly OriginConfig[]): ServiceConfig {
  if (origins.length > 1) return origins
  const url = urlOf(origins[0]!)
  const local = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::(\d+))?$/.exec(url)
  const port = Number(local?.[1] ?? 80)
  return local === null || port < 1 || port > 65_535 ? url : port
}

function urlOf(origin: OriginConfig): string {
  return typeof origin === 'string' ? origin : origin.url
}
