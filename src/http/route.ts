import { BELOW, canonicalPath, type PatternSegment, patternSegments } from './pattern.ts'
import type { HostPlan, RoutePlan } from './plan.ts'
import { isDotSegment, pathOf, removeDotSegments } from './wire/path.ts'

/** What answers a request, and why. */
export type Routing = {
  readonly host: HostPlan | null
  readonly route: RoutePlan | null
  readonly reason: RouteReason
}

export type RouteReason =
  | 'exact host'
  | 'wildcard host'
  | 'no host'
  | 'no route'
  | 'path is malformed'
  | 'path climbs above the root'
  | 'path hides dot segments'
  | 'path reads two ways'

/** Hosts and their routes, made for look-up: the number of hosts does not show in the time of a request. */
export type RouteTable = {
  readonly exact: ReadonlyMap<string, HostRoutes>
  /** every name that exists, as a host or above one, and the wildcard right below it */
  readonly enclosers: ReadonlyMap<string, HostRoutes | null>
}

type HostRoutes = { readonly host: HostPlan; readonly tree: Branch }

/** Patterns by segment. A Routing is made when the table is, so that a request makes none. */
type Branch = {
  literals: Map<string, Branch> | null
  one: Branch | null
  /** the pattern that ends here */
  here: Routing | null
  /** the pattern that goes on with `**` */
  below: Routing | null
}

/**
 * Compile hosts to a table.
 *
 * @param hosts names differ, patterns of a host do not tie: the check saw to it; of those that do, the first counts
 */
export function compileRoutes(hosts: readonly HostPlan[]): RouteTable {
  const exact = new Map<string, HostRoutes>()
  const enclosers = new Map<string, HostRoutes | null>()
  for (const host of hosts) {
    const routes = compileHost(host)
    if (host.name.startsWith('*.')) enclosers.set(parentOf(host.name), routes)
    else exact.set(host.name, routes)
    for (let name = host.name; name !== ''; name = parentOf(name)) {
      if (!enclosers.has(name)) enclosers.set(name, null)
    }
  }
  return { exact, enclosers }
}

/**
 * Choose the host and the route of a request.
 *
 * An exact host goes first, then the wildcard below the closest encloser (RFC 4592 §3.3.1), exactly as DNS answers:
 * with hosts `*.example.com` and `a.example.com`, `x.example.com` and `x.y.example.com` are the wildcard's, `x.a.example.com`
 * is nobody's. Names that stand only in `records` are not known here; DNS leads nobody to the wildcard through them.
 *
 * Of the patterns that match, the most specific wins: at the first segment in which they differ, a literal goes before
 * `*`, and `*` before `**`. The target is passed on as it was sent, so a path that the origin could read as one of
 * another route is refused.
 *
 * @param host as in `Request.host`: lower case, no port, no final dot
 * @param target origin-form; only the path counts
 * @returns a route, or null and the reason; host is null only with 'no host'
 */
export function route(table: RouteTable, host: string, target: string): Routing {
  const routes = table.exact.get(host) ?? findWildcard(table, host)
  if (routes === null) return NO_HOST
  const path = pathOf(target)
  const found = PLAIN_PATH.test(path) ? find(routes.tree, path, 1) : findUnusual(routes.tree, path)
  if (found === null) return refuse(routes.host, 'no route')
  return typeof found === 'string' ? refuse(routes.host, found) : found
}

const NO_HOST: Routing = { host: null, route: null, reason: 'no host' }

/** RFC 1035 §2.3.4: no longer name exists, so there is no need to look for its enclosers. */
const LONGEST_NAME = 253

/** A path that every program reads alike: no escape, dot segment, empty segment, backslash or parameter. */
const PLAIN_PATH = /^(?:\/[\w~!$&'()*+,=:@-][\w.~!$&'()*+,=:@-]*)*\/?$/

function findWildcard(table: RouteTable, host: string): HostRoutes | null {
  if (host.length > LONGEST_NAME) return null
  for (let name = host; name !== ''; name = parentOf(name)) {
    const wildcard = table.enclosers.get(name)
    // A name that exists, if only above a host, is itself no wildcard's (RFC 4592 §2.2.2).
    if (wildcard !== undefined) return name === host ? null : wildcard
  }
  return null
}

function parentOf(name: string): string {
  const dot = name.indexOf('.')
  return dot === -1 ? '' : name.slice(dot + 1)
}

/** @param start offset of the next segment; beyond the end of the path when none is left */
function find(branch: Branch, path: string, start: number): Routing | null {
  if (start > path.length) return branch.here ?? branch.below
  const slash = path.indexOf('/', start)
  const end = slash === -1 ? path.length : slash
  const literal = branch.literals?.get(path.slice(start, end))
  const found = literal === undefined ? null : find(literal, path, end + 1)
  if (found !== null) return found
  const one = branch.one === null || end === start ? null : find(branch.one, path, end + 1)
  return one ?? branch.below
}

/**
 * Find the route of a path that programs read in different ways: dot segments resolved or taken for names, an escaped
 * slash or a backslash as slash or as data, empty segments or none. All readings must lead to the same route.
 */
function findUnusual(tree: Branch, path: string): Routing | RouteReason | null {
  const written = path.startsWith('/') ? canonicalPath(path) : undefined
  if (written === undefined) return 'path is malformed'
  const segments = removeDotSegments(written.slice(1).split('/'))
  if (segments === undefined) return 'path climbs above the root'
  // Clients resolve dot segments, escaped ones too, before they send: only who wants to get past us hides them.
  if (countDotSegments(boldest(written)) > countDotSegments(path)) return 'path hides dot segments'
  const resolved = `/${segments.join('/')}`
  const merged = boldest(resolved).replace(/\/+(?=\/)/g, '')
  const found = find(tree, written, 1)
  const isSame = find(tree, resolved, 1) === found && find(tree, merged, 1) === found
  return isSame ? found : 'path reads two ways'
}

/** Everything that some program takes for a slash is one; `..;x` is `..` to programs that know path parameters. */
function boldest(path: string): string {
  return path.replace(/%2F|\\/g, '/').replace(/(?<=^|\/)(\.\.?);[^/]*/g, '$1')
}

function countDotSegments(path: string): number {
  return path.split('/').filter(isDotSegment).length
}

function compileHost(host: HostPlan): HostRoutes {
  const tree = createBranch()
  const reason = host.name.startsWith('*.') ? 'wildcard host' : 'exact host'
  for (const routePlan of host.routes) {
    const routing: Routing = { host, route: routePlan, reason }
    let branch = tree
    const segments = patternSegments(routePlan.pattern)
    const last = segments.at(-1)
    for (const segment of last === BELOW ? segments.slice(0, -1) : segments) branch = grow(branch, segment)
    if (last === BELOW) branch.below ??= routing
    else branch.here ??= routing
  }
  return { host, tree }
}

function refuse(host: HostPlan, reason: RouteReason): Routing {
  return { host, route: null, reason }
}

function grow(branch: Branch, segment: PatternSegment): Branch {
  if (typeof segment === 'symbol') return (branch.one ??= createBranch())
  branch.literals ??= new Map()
  const next = branch.literals.get(segment) ?? createBranch()
  branch.literals.set(segment, next)
  return next
}

function createBranch(): Branch {
  return { literals: null, one: null, here: null, below: null }
}
