import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import type { BearerPlan } from './plan.ts'
import { type Refused, unavailable, type Verdict } from './verdict.ts'

/** How keys are fetched and kept, in milliseconds. */
export type KeyTimes = {
  /** they are fetched again after it */
  readonly cacheMaxAge: number
  /** not more often than that for a key that is not known, or after a failure */
  readonly cooldownDuration: number
  readonly timeoutDuration: number
}

const KEY_TIMES: KeyTimes = { cacheMaxAge: 600_000, cooldownDuration: 30_000, timeoutDuration: 5000 }
/** A set of keys has a few KiB. */
const LIMIT_KEYS_OCTETS = 1_048_576

/**
 * Create what verifies tokens: signature by a key of the issuer's set, issuer, audience, times (RFC 7519 §4.1, §7.2).
 *
 * @param otherChallenges of other schemes, which a refused client may meet as well
 */
export function createBearerVerifier(
  plan: BearerPlan,
  otherChallenges: readonly string[],
  keyTimes: KeyTimes = KEY_TIMES,
): (token: string) => Promise<Verdict> {
  const remote = createRemoteJWKSet(new URL(plan.jwks), { ...keyTimes, [customFetch]: fetchBounded })
  let failedUntilMs = 0
  const options = {
    issuer: plan.issuer,
    audience: [...plan.audience],
    algorithms: [...plan.algorithms],
    clockTolerance: plan.skewMs / 1000,
    requiredClaims: ['exp'],
  }

  return async (token) => {
    try {
      return admit(await verify(token))
    } catch (error) {
      if (isTokensFault(error)) return refuseToken(`token: ${error.message}`)
      return unavailable('The keys that tokens are verified with cannot be had.', `keys: ${error}`)
    }
  }

  async function verify(token: string): Promise<JWTPayload> {
    const old = remote.jwks()
    // Old keys are better than none while the issuer cannot be reached, and better than waiting for it each time.
    if (old !== undefined && performance.now() < failedUntilMs) return verifyWith(createLocalJWKSet(old))
    try {
      return await verifyWith(remote)
    } catch (error) {
      if (isTokensFault(error) || old === undefined) throw error
      failedUntilMs = performance.now() + keyTimes.cooldownDuration
      return verifyWith(createLocalJWKSet(old))
    }

    async function verifyWith(keys: JWTVerifyGetKey): Promise<JWTPayload> {
      return (await jwtVerify(token, keys, options)).payload
    }
  }

  function admit(payload: JWTPayload): Verdict {
    const fields = plan.claims.flatMap(([name, claim]): [string, string][] => {
      const value = fieldValue(payload[claim])
      return value === undefined ? [] : [[name, value]]
    })
    return { isAdmitted: true, fields }
  }

  /** RFC 6750 §3, §3.1. */
  function refuseToken(reason: string): Refused {
    const challenge = `Bearer realm="${plan.realm}", error="invalid_token"`
    const fields = [...otherChallenges, challenge].map((value) => ['WWW-Authenticate', value] as const)
    const detail = 'The token is not one that is accepted here, or no longer.'
    return { isAdmitted: false, reason, answer: { status: 401, detail, fault: 'client', fields } }
  }
}

/** What jose says of a token; what it says of the set of keys, or fetch of the network, is not the client's fault. */
function isTokensFault(error: unknown): error is Error {
  if (!(error instanceof errors.JOSEError)) return false
  return error instanceof errors.JWKSNoMatchingKey || !/^ERR_(JWKS|JOSE_GENERIC)/.test(error.code)
}

/** A claim as a field: text, numbers, flags, and lists of them. Others, and what no field may hold, are left out. */
function fieldValue(claim: unknown): string | undefined {
  const values = Array.isArray(claim) ? claim : [claim]
  if (values.length === 0 || !values.every((value) => /^(string|number|boolean)$/.test(typeof value)))
    return undefined
  const text = values.join(',')
  // Octets of UTF-8, as other gateways send them (RFC 9110 §5.5 lets them pass).
  return /\p{Cc}/u.test(text) ? undefined : Buffer.from(text).toString('latin1')
}

async function fetchBounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options)
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of response.body ?? []) {
    length += part.length
    if (length > LIMIT_KEYS_OCTETS) throw new Error(`the keys have more than ${LIMIT_KEYS_OCTETS} octets`)
    parts.push(part)
  }
  return new Response(Buffer.concat(parts), { status: response.status })
}
