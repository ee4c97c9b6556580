import { createBearerVerifier } from './bearer.ts'
import type { PasswordVerifier } from './password.ts'
import type { BasicPlan, BearerPlan } from './plan.ts'
import { admitted, type Check, unauthorized, unavailable, type Verdict } from './verdict.ts'
import { readCredentials } from './wire/credentials.ts'

export type SignInPlan = { readonly basic: BasicPlan | null; readonly bearer: BearerPlan | null }

/** Create the check of Authorization: a name and a password (RFC 7617 §2), or a token (RFC 6750 §2.1), where both are offered. */
export function createSignInCheck({ basic, bearer }: SignInPlan, passwords: PasswordVerifier): Check {
  const basicChallenge = basic === null ? [] : [`Basic realm="${basic.realm}", charset="UTF-8"`]
  const bearerChallenge = bearer === null ? [] : [`Bearer realm="${bearer.realm}"`]
  const challenges = [...basicChallenge, ...bearerChallenge]
  const hashes = new Map(basic?.users)
  const verifyToken = bearer === null ? null : createBearerVerifier(bearer, basicChallenge)

  return ({ request }) => {
    const credentials = readCredentials(request.fields)
    if (credentials.scheme === 'basic' && basic !== null) return checkPassword(credentials)
    if (credentials.scheme === 'bearer' && verifyToken !== null) return verifyToken(credentials.token)
    return unauthorized(challenges, REASONS[credentials.scheme])
  }

  function checkPassword({ user, password }: { user: string; password: string }): Verdict | Promise<Verdict> {
    const verified = passwords.verify(hashes.get(user), user, password)
    if (verified === 'busy') return BUSY
    const judge = (isRight: boolean): Verdict => {
      return isRight ? admitted : unauthorized(challenges, 'wrong name or password')
    }
    return typeof verified === 'boolean' ? judge(verified) : verified.then(judge)
  }
}

const REASONS = {
  none: 'no credentials',
  basic: 'credentials of another scheme',
  bearer: 'credentials of another scheme',
  unknown: 'credentials that cannot be read',
} as const

const BUSY = unavailable('Too many people sign in at this moment.', 'too many passwords to verify')
