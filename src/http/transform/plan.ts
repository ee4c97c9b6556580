import { parseSize } from '#core/units.ts'
import type { FieldRulesConfig, MaintenanceConfig, PaceConfig, TransformConfig } from './config.ts'

/** How requests and responses of a route change on their way through. */
export type TransformPlan = {
  readonly compress: boolean
  readonly request: readonly FieldRule[]
  readonly response: readonly FieldRule[]
  readonly security: boolean
  readonly rewrite: RewritePlan | null
  readonly errors: readonly ErrorPagePlan[]
  readonly maintenance: MaintenancePlan | null
  /** values of Link */
  readonly earlyHints: readonly string[]
  /** responses are held back until they are complete */
  readonly isBuffered: boolean
  /** Server-Timing is sent */
  readonly saysTiming: boolean
  /** null: as fast as the client takes it */
  readonly pace: PacePlan | null
}

/** How fast one response goes: `afterOctets` at once, then so many a second, or so many times as fast as it is played. */
export type PacePlan = ({ readonly octetsPerSecond: number } | { readonly timesMedia: number }) & {
  readonly afterOctets: number
}

/** `value` may hold variables. */
export type FieldRule =
  | { readonly action: 'set' | 'add'; readonly name: string; readonly value: string }
  | { readonly action: 'remove'; readonly name: string }

/** `strip`: the path without this start. `to`: another path, made with what the stars of `pattern` matched. */
export type RewritePlan =
  | { readonly kind: 'strip'; readonly prefix: string }
  | { readonly kind: 'to'; readonly pattern: string; readonly to: string }

export type ErrorPagePlan = {
  /** `404`, `4xx` or `5xx` */
  readonly status: string
  /** relative to the folder of the file */
  readonly page: string
  /** also instead of an error that an origin answers with */
  readonly origin: boolean
}

export type MaintenancePlan = {
  readonly page: string | null
  readonly retryAfterSeconds: number | null
  /** addresses and networks that are served as usual */
  readonly allow: readonly string[]
}

type PacedConfig = TransformConfig & { readonly limits?: PaceConfig }

/**
 * Decide what happens on the way through a route: its own options, and those of its host that it does not say.
 *
 * @param pattern of the route, whose stars a rewrite refers to
 * @returns undefined when requests and responses pass as they are
 */
export function planTransform(
  pattern: string,
  host: PacedConfig,
  route: PacedConfig,
): TransformPlan | undefined {
  const path = route.strip === undefined && route.rewrite === undefined ? host : route
  const plan: TransformPlan = {
    compress: route.compress ?? host.compress ?? false,
    request: [host, route].flatMap(({ headers }) => fieldRules(headers?.request)),
    response: [host, route].flatMap(({ headers }) => fieldRules(headers?.response)),
    security: route.security ?? host.security ?? false,
    rewrite: planRewrite(pattern, path),
    errors: Object.entries({ ...host.errors, ...route.errors }).map(([status, written]) => {
      return typeof written === 'string'
        ? { status, page: written, origin: false }
        : { status, page: written.page, origin: written.origin ?? false }
    }),
    maintenance: planMaintenance(route.maintenance ?? host.maintenance ?? false),
    earlyHints: route.earlyHints ?? host.earlyHints ?? [],
    isBuffered: (route.delivery ?? host.delivery) === 'buffered',
    saysTiming: route.serverTiming ?? host.serverTiming ?? false,
    // A route's own limits take the place of its host's, all of them; reading fills in an empty group.
    pace: planPace(Object.keys(route.limits ?? {}).length > 0 ? route.limits : host.limits),
  }
  return Object.values(plan).every(isNothing) ? undefined : plan
}

function isNothing(part: unknown): boolean {
  return part === false || part === null || (Array.isArray(part) && part.length === 0)
}

/** What is set or added stands after what is removed, whatever the order in the file. */
function fieldRules({ set = {}, add = {}, remove = [] }: FieldRulesConfig = {}): FieldRule[] {
  return [
    ...remove.map((name) => ({ action: 'remove', name }) as const),
    ...Object.entries(set).map(([name, value]) => ({ action: 'set', name, value }) as const),
    ...Object.entries(add).map(([name, value]) => ({ action: 'add', name, value }) as const),
  ]
}

function planRewrite(pattern: string, { strip, rewrite }: TransformConfig): RewritePlan | null {
  if (rewrite !== undefined) return { kind: 'to', pattern, to: rewrite }
  return strip === undefined ? null : { kind: 'strip', prefix: strip }
}

function planPace({ rate, rateAfter }: PaceConfig = {}): PacePlan | null {
  if (rate === undefined) return null
  const afterOctets = rateAfter ?? 0
  if (rate.endsWith('x')) return { timesMedia: Number.parseFloat(rate), afterOctets }
  const octetsPerSecond = parseSize(rate.replace('/s', ''))
  return octetsPerSecond === undefined ? null : { octetsPerSecond, afterOctets }
}

function planMaintenance(written: boolean | MaintenanceConfig): MaintenancePlan | null {
  if (written === false) return null
  const { page, retryAfter, allow } = written === true ? ({} as MaintenanceConfig) : written
  const retryAfterSeconds = retryAfter === undefined ? null : Math.ceil(retryAfter / 1000)
  return { page: page ?? null, retryAfterSeconds, allow: allow ?? [] }
}
