import type { HostConfig, RouteConfig } from '#http/host-config.ts'
import { type Action, type Asking, readAction, returnAction } from './action.ts'
import { holdsPrograms, type Routes, readLocations, SOURCE } from './location.ts'
import { type Ledger, note, remark, take } from './notes.ts'
import { readHostOptions } from './options.ts'
import type { Upstreams } from './origin.ts'
import type { Directive } from './parse.ts'
import type { Site } from './site.ts'

/** What surrounds all servers; `http` without its blocks. */
export type Surroundings = {
  readonly ledger: Ledger
  readonly upstreams: Upstreams
  readonly http: readonly Directive[]
}

/** `https`: only a redirect to HTTPS, which Portico does by itself. null: nothing was understood. */
export type HostAnswer = HostConfig | 'https' | null

/** What a server answers under one of its names. */
export function readHost(site: Site, name: string, { ledger, upstreams, http }: Surroundings): HostAnswer {
  const server = site.directive.block ?? []
  const asking: Asking = {
    ledger,
    upstreams,
    named: namedLocations(server),
    host: name,
    serverName: site.names[0] ?? name,
    overTls: site.overTls,
    scope: [server, http],
    prefix: '/',
  }
  take(ledger, site.directive)
  const conditional = readConditions(asking)
  if (conditional !== undefined) return conditional
  // `return` in a server answers before any location is looked for.
  if (server.some(({ name }) => name === 'return')) return readAction(asking)
  return fromRoutes(readRoutes(asking), asking, site)
}

function namedLocations(server: readonly Directive[]): Map<string, Directive> {
  const named = server.filter(({ name, args }) => name === 'location' && args[0]?.startsWith('@') === true)
  return new Map(named.map((location) => [location.args[0]!, location]))
}

/** `if ($host = name) { return … }` as certbot writes it, and redirects of what came over plain HTTP. */
function readConditions(asking: Asking): Action | undefined {
  let answer: Action | undefined
  for (const directive of asking.scope[0] ?? []) {
    const inner = directive.name === 'if' ? directive.block : null
    const only = inner?.length === 1 && inner[0]?.name === 'return' ? inner[0] : undefined
    if (only === undefined) continue
    const condition = directive.args.join(' ').replace(/^\(\s*|\s*\)$/g, '')
    if (
      /^(\$scheme (!= "?https"?|= "?http"?)|\$https (!= "?on"?|= "?"?)|\$server_port (= 80|!= 443))$/.test(
        condition.trim(),
      )
    ) {
      note(asking.ledger, directive, {
        level: 'dropped',
        message: 'Portico sends plain HTTP to HTTPS by itself.',
        host: asking.host,
      })
      continue
    }
    const match = /^\$(?:host|http_host|server_name) (!?=) (\S+)$/.exec(condition)
    if (match === null) continue
    take(asking.ledger, directive)
    const fits = (match[2] === asking.host) === (match[1] === '=')
    if (fits && answer === undefined) answer = returnAction(only, asking)
    else take(asking.ledger, only)
  }
  return answer
}

function readRoutes(asking: Asking): Routes {
  const { scope } = asking
  const routes: Routes = new Map()
  readLocations(asking, routes)
  if (!routes.has('/**')) {
    const action = readAction(asking)
    if (action !== null) routes.set('/**', action)
  }
  if (holdsPrograms(scope[0] ?? [])) hideSources(routes, asking)
  return routes
}

/** A folder of programs that are no longer run would be shown as files to anyone, passwords in it too. */
function hideSources(routes: Routes, { ledger, host, scope }: Asking): void {
  const around = routes.get('/**')
  if (around === undefined || around === null || around === 'https' || !('files' in around)) return
  const [server = []] = scope
  const message = `Programs lie in ${JSON.stringify(around.files)}; as files anyone could read them, so they are not served.`
  remark(ledger, server.find(({ name }) => name === 'root') ?? server[0]!, {
    level: 'not understood',
    message,
    host,
  })
  for (const [pattern, action] of routes) {
    const isSame = JSON.stringify(action) === JSON.stringify(around)
    if (isSame && (pattern.endsWith('/**') || SOURCE.test(pattern))) routes.set(pattern, null)
  }
}

function fromRoutes(routes: Routes, { ledger, host, scope }: Asking, site: Site): HostAnswer {
  const rest = [...routes].flatMap(([pattern, action]): [string, RouteConfig][] =>
    action === null || action === 'https' ? [] : [[pattern, action]],
  )
  if (routes.get('/**') === 'https') {
    if (rest.length > 0) {
      const message = `Over plain HTTP ${rest.map(([pattern]) => pattern).join(', ')} were answered; Portico redirects them to HTTPS too.`
      remark(ledger, site.directive, { level: 'not understood', message, host })
    }
    return 'https'
  }
  const kept = rest.filter(([pattern, action]) => !isSaidAbove(pattern, action, rest))
  const only = kept.length === 1 && kept[0]![0] === '/**' ? kept[0]![1] : undefined
  if (kept.length === 0) return null
  const answer = only ?? { routes: Object.fromEntries(kept) }
  // The kind is written first, and what it says of its own counts.
  return { ...answer, ...readHostOptions(scope, ledger), ...answer }
}

/** Whether the nearest route around a pattern does the same. */
function isSaidAbove(
  pattern: string,
  action: RouteConfig,
  routes: readonly (readonly [string, RouteConfig])[],
): boolean {
  const around = routes
    .filter(([other]) => other !== pattern && other.endsWith('/**') && pattern.startsWith(other.slice(0, -2)))
    .sort(([a], [b]) => b.length - a.length)[0]
  return around !== undefined && JSON.stringify(around[1]) === JSON.stringify(action)
}
