import type { Problem } from '#core/problem.ts'
import { checkAccess, type Place } from './check-plan.ts'
import type { AccessConfig, BearerConfig, ForwardAuthConfig } from './config.ts'
import type { RateConfig } from './limit-config.ts'

/** Who is let in: everything that is not null must hold. */
export type AccessPlan = {
  readonly networks: readonly NetworkRule[]
  readonly basic: BasicPlan | null
  /** with `basic`, either is enough: there is one Authorization */
  readonly bearer: BearerPlan | null
  readonly forward: ForwardAuthPlan | null
}

export type NetworkRule = {
  /** as written */
  readonly network: string
  readonly isAllowed: boolean
}

/** Names and salted hashes; passwords are nowhere. */
export type BasicPlan = {
  readonly realm: string
  readonly users: readonly (readonly [name: string, hash: string])[]
}

export type BearerPlan = {
  readonly realm: string
  readonly issuer: string
  readonly audience: readonly string[]
  readonly jwks: string
  readonly algorithms: readonly string[]
  readonly skewMs: number
  /** claims that are passed on, by the name of their field */
  readonly claims: readonly (readonly [name: string, claim: string])[]
}

export type ForwardAuthPlan = {
  readonly url: string
  /** names of fields */
  readonly copy: readonly string[]
  /** 0: not remembered */
  readonly cacheMs: number
  readonly timeoutMs: number
}

/** How often a client may ask; `id` is the host or route that counts, or `all hosts`. */
export type RatePlan = {
  readonly id: string
  /** milliseconds after which another request may come */
  readonly intervalMs: number
  /** requests that may come at once after a rest */
  readonly burst: number
}

/**
 * Decide who is let in.
 *
 * @param host its name is the realm when none is written
 * @returns `access` is null when everyone is
 */
export function planAccess(
  written: AccessConfig | undefined,
  host: string,
  at: Place,
): { access: AccessPlan | null; problems: Problem[] } {
  if (written === undefined || written === 'none') return { access: null, problems: [] }
  const { allow = [], deny = [], basic, bearer, forward } = written
  const access: AccessPlan = {
    networks: [
      ...allow.map((network) => ({ network, isAllowed: true })),
      ...deny.map((network) => ({ network, isAllowed: false })),
    ],
    basic: basic === undefined ? null : { realm: basic.realm ?? host, users: Object.entries(basic.users) },
    bearer: bearer === undefined ? null : planBearer(bearer, host),
    forward: forward === undefined ? null : planForwardAuth(forward),
  }
  const isOpen = access.networks.length === 0 && !(basic ?? bearer ?? forward)
  return { access: isOpen ? null : access, problems: checkAccess(written, at) }
}

function planBearer({ issuer, audience, jwks, realm, ...written }: BearerConfig, host: string): BearerPlan {
  const { algorithms = [], skew = 0, claims = {} } = written
  return {
    realm: realm ?? host,
    issuer,
    audience,
    jwks,
    algorithms,
    skewMs: skew,
    claims: Object.entries(claims),
  }
}

function planForwardAuth({ url, copy = [], cache = 0, timeout = 0 }: ForwardAuthConfig): ForwardAuthPlan {
  return { url, copy, cacheMs: cache, timeoutMs: timeout }
}

const PERIOD_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Decide how often a client may ask.
 *
 * @param at position of `limits`, or of a part of it
 * @returns `rate` is null when it may as often as it likes
 */
export function planRate(
  { requests, burst }: RateConfig,
  id: string,
  at: Place,
): { rate: RatePlan | null; problems: Problem[] } {
  const [count, unit] = requests?.split('/') ?? []
  if (count !== undefined && unit !== undefined) {
    const rate = { id, intervalMs: PERIOD_MS[unit]! / Number(count), burst: burst ?? Number(count) }
    return { rate, problems: [] }
  }
  if (burst === undefined) return { rate: null, problems: [] }
  const message = `"burst" is ${burst}, but nothing says how fast requests may come after it.`
  const fix = `"requests": "${burst}/s"`
  return {
    rate: null,
    problems: [{ level: 'error', code: 'access/burst-alone', at: at('burst'), message, fix }],
  }
}
