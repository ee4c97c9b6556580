import type { Place } from '#access/check-plan.ts'
import type { AccessConfig } from '#access/config.ts'
import type { RateConfig } from '#access/limit-config.ts'
import { type AccessPlan, planAccess, planRate, type RatePlan } from '#access/plan.ts'
import { type BucketPlan, planBucket } from '#bucket/plan.ts'
import { type CachePlan, planCache } from '#cache/plan.ts'
import { contentKey, type PlanNode } from '#core/node.ts'
import type { Position, Problem } from '#core/problem.ts'
import { type FilesPlan, planFiles } from '#files/plan.ts'
import { type LivePlan, planLive } from '#media/live/plan.ts'
import { planStream, type StreamPlan } from '#media/plan.ts'
import { type ProcessPlan, planProcess } from '#processes/plan.ts'
import type { HostConfig, RouteConfig } from './host-config.ts'
import type { ServiceConfig } from './service-config.ts'
import { type OriginPlan, planService, type ServicePlan, serviceProblems } from './service-plan.ts'
import { planTransform, type TransformPlan } from './transform/plan.ts'

export type HttpPlan = {
  readonly hosts: readonly HostPlan[]
  readonly limits: HttpLimits
  /** networks (CIDR) whose Forwarded and X-Forwarded-* fields are believed */
  readonly trust: readonly string[]
  /** the port that HTTP redirects to; `null` when nothing listens for HTTPS */
  readonly httpsPort: number | null
  /** what one client may ask of all hosts together; absent: as much as it likes */
  readonly clientRate?: RatePlan
  readonly clientConnections?: number
  /** memory of the process beyond which requests are refused; absent: no limit */
  readonly memoryOctets?: number
}

/** What answers under one name. `id` is `host:` and the name. */
export type HostPlan = PlanNode & {
  /** lower case without final dot; `*.example.com` stands for every other name below, at any depth (RFC 4592) */
  readonly name: string
  /** answered with 308 to HTTPS when asked over HTTP */
  readonly redirectToHttps: boolean
  /** file with the roots that clients' certificates must be issued under; absent: none is asked for */
  readonly clientCertificates?: string
  readonly routes: readonly RoutePlan[]
  /** for paths that no route has; undefined: requests and responses pass as they are */
  readonly transform?: TransformPlan
}

/** `id` is `route:` and host and pattern, such as `route:app.example.com/api/**`. */
export type RoutePlan = PlanNode & {
  /** `/exact`, `/under/**` or `/one/*` (a whole segment); matched against the path without query */
  readonly pattern: string
  readonly action: ActionPlan
  /** who is let in; absent: everyone */
  readonly access?: AccessPlan
  /** how often a client may ask; absent: as often as it likes */
  readonly rate?: RatePlan
  /** how responses are kept; absent: not at all */
  readonly cache?: CachePlan
  /** how films are streamed; absent: they are served as they are */
  readonly stream?: StreamPlan
  /** absent: requests and responses pass as they are */
  readonly transform?: TransformPlan
}

export type ActionPlan =
  | ServicePlan
  | FilesPlan
  | BucketPlan
  | LivePlan
  | {
      readonly kind: 'redirect'
      readonly to: string
      readonly status: RedirectStatus
      readonly keepPath: boolean
    }
  | {
      readonly kind: 'respond'
      readonly status: number
      readonly fields: readonly (readonly [string, string])[]
      readonly body: string
    }
  | { readonly kind: 'dns' }

export type RedirectStatus = 301 | 302 | 303 | 307 | 308

/** Octets, milliseconds and counts; the settings table in `config.ts` says what each means. */
export type HttpLimits = {
  readonly headerOctets: number
  readonly headerCount: number
  readonly targetOctets: number
  readonly bodyOctets: number
  readonly headerTimeoutMs: number
  readonly idleTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly answerTimeoutMs: number
  readonly connections: number
  readonly originConnections: number
  /** on one connection of HTTP/2: requests at a time, and what a client may do each second */
  readonly http2Streams: number
  readonly http2Resets: number
  readonly http2Control: number
  readonly drainMs: number
}

/** A host of the file under one of its names. */
export type HostInput = {
  /** lower case without final dot */
  readonly name: string
  /** the name in the file, which processes are called by; on a laptop a host has two names */
  readonly processName: string
  readonly written: HostConfig
  readonly at: WrittenAt
}

/** Position of a host (no pattern), of one of its routes, or of a part inside of either. */
export type WrittenAt = (pattern?: string, ...inside: readonly (string | number)[]) => Position

/** Decide what answers under one name, and what must run for it. */
export function planHost(host: HostInput): { host: HostPlan; processes: ProcessPlan[]; problems: Problem[] } {
  const processes: ProcessPlan[] = []
  const problems: Problem[] = []
  const patterns: [string, RouteConfig, Position][] =
    host.written.routes === undefined
      ? [['/**', host.written, host.at()]]
      : Object.entries(host.written.routes).map(([pattern, route]) => [pattern, route, host.at(pattern)])
  const routes: RoutePlan[] = []
  for (const [pattern, written, from] of patterns) {
    const processName = host.written.routes === undefined ? host.processName : `${host.processName}${pattern}`
    const process = processOf(processName, written.service, from)
    if (typeof process === 'string') {
      const fix = `"run": "sh -c 'a | b'", or "run": ["node", "server.js"]`
      problems.push({ level: 'error', code: 'http/command', at: from, message: process, fix })
      continue
    }
    if (process !== null) processes.push(process)
    const faults = serviceProblems(written.service)
    problems.push(...faults.map((fault) => ({ ...fault, at: from })))
    if (faults.some(({ level }) => level === 'error')) continue
    const guarded = planGuard(host, pattern, written)
    const action = planAction(written, process, guarded.plans.access !== undefined)
    if (action === null) continue
    problems.push(...guarded.problems)
    const transform = planTransform(pattern, host.written.routes === undefined ? {} : host.written, written)
    const cache =
      action.kind === 'service'
        ? planCache(written.cache ?? host.written.cache, identifies(guarded.plans))
        : undefined
    const stream = STREAMED.has(action.kind)
      ? planStream(written.stream ?? host.written.stream, readKeysOf(action))
      : undefined
    const content = {
      pattern,
      action,
      ...guarded.plans,
      ...(cache === undefined ? {} : { cache }),
      ...(stream === undefined ? {} : { stream }),
      ...(transform === undefined ? {} : { transform }),
    }
    routes.push({ id: `route:${host.name}${pattern}`, key: contentKey(content), from, ...content })
  }
  const transform = planTransform('/**', {}, host.written)
  const redirectToHttps = host.written.http !== 'serve'
  const { clientCertificates } = host.written
  const content = {
    name: host.name,
    redirectToHttps,
    ...(clientCertificates === undefined ? {} : { clientCertificates }),
    routes,
    ...(transform === undefined ? {} : { transform }),
  }
  const key = contentKey({ ...content, routes: routes.map((route) => [route.id, route.key]) })
  return { host: { id: `host:${host.name}`, key, from: host.at(), ...content }, processes, problems }
}

/** What reading a bucket needs. */
function readKeysOf(action: ActionPlan): BucketPlan['keys'] {
  if (action.kind !== 'bucket' || action.readers !== 'keys') return []
  return action.keys.filter(({ mayRead }) => mayRead)
}

/** Kinds that have films. */
const STREAMED: ReadonlySet<ActionPlan['kind']> = new Set(['service', 'files', 'bucket', 'live'])

/** A route's own `access` and `limits` take the place of its host's; the host's faults are told once, with its first route. */
function planGuard(
  host: HostInput,
  pattern: string,
  route: RouteConfig,
): { plans: Pick<RoutePlan, 'access' | 'rate'>; problems: Problem[] } {
  const { access: hostAccess, limits: hostLimits = {}, routes } = host.written
  const isFirst = routes === undefined || Object.keys(routes)[0] === pattern
  const has = (part: 'access' | 'limits'): boolean => routes !== undefined && isWritten(route[part])
  const place = (part: 'access' | 'limits'): Place => {
    return (...path) => host.at(has(part) ? pattern : undefined, part, ...path)
  }
  const { access, problems } = planAccess(
    has('access') ? route.access : hostAccess,
    host.name,
    place('access'),
  )
  const rated = has('limits')
    ? planRate(route.limits ?? {}, `route:${host.name}${pattern}`, place('limits'))
    : planRate(hostLimits, `host:${host.name}`, place('limits'))
  return {
    plans: { ...(access === null ? {} : { access }), ...(rated.rate === null ? {} : { rate: rated.rate }) },
    problems: [
      ...(has('access') || isFirst ? problems : []),
      ...(has('limits') || isFirst ? rated.problems : []),
    ],
  }
}

/** Whether a route knows who asks, by password, token or another service's word. */
function identifies({ access }: Pick<RoutePlan, 'access'>): boolean {
  return access !== undefined && [access.basic, access.bearer, access.forward].some((way) => way !== null)
}

/** Reading fills a group that was not written with nothing. */
function isWritten(part: AccessConfig | RateConfig | undefined): boolean {
  return part !== undefined && (part === 'none' || Object.keys(part).length > 0)
}

function processOf(
  name: string,
  service: ServiceConfig | undefined,
  from: Position,
): ProcessPlan | string | null {
  if (typeof service !== 'object' || !('run' in service)) return null
  return planProcess(name, service, from)
}

function planAction(
  written: RouteConfig,
  process: ProcessPlan | null,
  isGuarded: boolean,
): ActionPlan | null {
  if (written.service !== undefined) return planService(written.service, process)
  if (written.files !== undefined) return planFiles(written.files)
  if (written.bucket !== undefined) return planBucket(written.bucket, isGuarded)
  if (written.live !== undefined) return planLive(written.live, isGuarded)
  if (written.redirect !== undefined) return planRedirect(written.redirect)
  if (written.respond !== undefined) return planRespond(written.respond)
  if (written.dns === true) return { kind: 'dns' }
  return null
}

/** A bare URL keeps path and query of the request; one that has a path of its own says all itself. */
function planRedirect(written: NonNullable<RouteConfig['redirect']>): ActionPlan {
  const { to, status, keepPath } =
    typeof written === 'string' ? { to: written, status: undefined, keepPath: undefined } : written
  const bare = /^https?:\/\/[^/?#]+\/?$/.test(to)
  return {
    kind: 'redirect',
    to,
    status: (status ?? 308) as RedirectStatus,
    keepPath: keepPath ?? bare,
  }
}

function planRespond(written: NonNullable<RouteConfig['respond']>): ActionPlan {
  const { status, body, headers } =
    typeof written === 'string' ? { status: undefined, body: written, headers: undefined } : written
  const fields = Object.entries(headers ?? {})
  const hasType = fields.some(([name]) => name.toLowerCase() === 'content-type')
  const type: [string, string] = ['Content-Type', 'text/plain; charset=utf-8']
  return {
    kind: 'respond',
    status: status ?? 200,
    fields: hasType ? fields : [type, ...fields],
    body: body ?? '',
  }
}

/** What routes of live streams do; a folder that several lead to stands several times. */
export function liveOf(plan: HttpPlan): LivePlan[] {
  return plan.hosts.flatMap(({ routes }) =>
    routes.flatMap(({ action }) => (action.kind === 'live' ? [action] : [])),
  )
}

/** Every origin that a route leads to; one that several lead to stands several times. */
export function originsOf(plan: HttpPlan): OriginPlan[] {
  return plan.hosts.flatMap(({ routes }) => {
    return routes.flatMap(({ action }) =>
      action.kind === 'service'
        ? [...action.origins, ...(action.fallback === undefined ? [] : [action.fallback])]
        : [],
    )
  })
}
