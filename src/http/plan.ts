import { contentKey, type PlanNode } from '#core/node.ts'
import type { Position, Problem } from '#core/problem.ts'
import { type ProcessPlan, planProcess } from '#processes/plan.ts'
import type { HostConfig, RouteConfig } from './host-config.ts'
import type { ServiceConfig } from './service-config.ts'
import { planService, type ServicePlan, serviceProblems } from './service-plan.ts'

export type HttpPlan = {
  readonly hosts: readonly HostPlan[]
  readonly limits: HttpLimits
  /** networks (CIDR) whose Forwarded and X-Forwarded-* fields are believed */
  readonly trust: readonly string[]
  /** the port that HTTP redirects to; `null` when nothing listens for HTTPS */
  readonly httpsPort: number | null
}

/** What answers under one name. `id` is `host:` and the name. */
export type HostPlan = PlanNode & {
  /** lower case without final dot; `*.example.com` stands for every other name below, at any depth (RFC 4592) */
  readonly name: string
  /** answered with 308 to HTTPS when asked over HTTP */
  readonly redirectToHttps: boolean
  readonly routes: readonly RoutePlan[]
}

/** `id` is `route:` and host and pattern, such as `route:app.example.com/api/**`. */
export type RoutePlan = PlanNode & {
  /** `/exact`, `/under/**` or `/one/*` (a whole segment); matched against the path without query */
  readonly pattern: string
  readonly action: ActionPlan
}

export type ActionPlan =
  | ServicePlan
  | { readonly kind: 'files'; readonly root: string; readonly index: string }
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
  readonly drainMs: number
}

/** A host of the file under one of its names. */
export type HostInput = {
  /** lower case without final dot */
  readonly name: string
  /** the name in the file, which processes are called by; on a laptop a host has two names */
  readonly processName: string
  readonly written: HostConfig
  /** position of the host (no key) or of the pattern of one of its routes */
  readonly at: (pattern?: string) => Position
}

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
    const action = planAction(written, process)
    if (action === null) continue
    const content = { pattern, action }
    routes.push({ id: `route:${host.name}${pattern}`, key: contentKey(content), from, ...content })
  }
  const content = { name: host.name, redirectToHttps: host.written.http !== 'serve', routes }
  const key = contentKey({ ...content, routes: routes.map((route) => [route.id, route.key]) })
  return { host: { id: `host:${host.name}`, key, from: host.at(), ...content }, processes, problems }
}

function processOf(
  name: string,
  service: ServiceConfig | undefined,
  from: Position,
): ProcessPlan | string | null {
  if (typeof service !== 'object' || !('run' in service)) return null
  return planProcess(name, service, from)
}

function planAction(written: RouteConfig, process: ProcessPlan | null): ActionPlan | null {
  if (written.service !== undefined) return planService(written.service, process)
  if (written.files !== undefined) {
    const { root, index } =
      typeof written.files === 'string' ? { root: written.files, index: undefined } : written.files
    return { kind: 'files', root, index: index ?? 'index.html' }
  }
  if (written.redirect !== undefined) return planRedirect(written.redirect)
  if (written.respond !== undefined) return planRespond(written.respond)
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
