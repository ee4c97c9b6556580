import type { ChallengeType } from './plan.ts'
import type { AcmeProblem, Authorization, Challenge, Order } from './wire/objects.ts'

/** What to do next for an order (RFC 8555 §7.1.6). */
export type OrderStep =
  | { readonly do: 'authorize' | 'finalize' | 'wait' }
  | { readonly do: 'download'; readonly url: string }
  | { readonly do: 'give up'; readonly problem: AcmeProblem }

/** Decide by the order's status alone, so that whoever was killed goes on where the authority stands. */
export function nextStep(order: Order): OrderStep {
  switch (order.status) {
    case 'pending':
      return { do: 'authorize' }
    case 'ready':
      return { do: 'finalize' }
    case 'processing':
      return { do: 'wait' }
    case 'valid':
      return order.certificate === undefined ? { do: 'wait' } : { do: 'download', url: order.certificate }
    case 'invalid':
      return {
        do: 'give up',
        problem: order.problem ?? problem('orderNotReady', 'The order became invalid.'),
      }
  }
}

/** What to do next for one name of an order. */
export type AuthorizationStep =
  | { readonly do: 'nothing' }
  /** `answered` before: the authority only has to look */
  | { readonly do: 'answer'; readonly challenge: Challenge; readonly answered: boolean }
  | { readonly do: 'give up'; readonly problem: AcmeProblem }

/**
 * Decide for one authorization (RFC 8555 §7.1.6).
 *
 * @param allowed in order of preference
 */
export function nextForName(
  authorization: Authorization,
  allowed: readonly ChallengeType[],
): AuthorizationStep {
  const { status, name, isWildcard, challenges } = authorization
  if (status === 'valid') return { do: 'nothing' }
  const failed = challenges.find((challenge) => challenge.status === 'invalid')
  if (status !== 'pending') {
    const detail = `The authority closed the authorization of ${name}: it is ${status}.`
    return { do: 'give up', problem: failed?.problem ?? problem('unauthorized', detail) }
  }
  const underWay = challenges.find((challenge) => challenge.status === 'processing')
  if (underWay !== undefined) return { do: 'answer', challenge: underWay, answered: true }
  for (const type of allowed) {
    const challenge = challenges.find((offered) => offered.type === type && offered.status === 'pending')
    if (challenge !== undefined) return { do: 'answer', challenge, answered: false }
  }
  const offered = challenges.map(({ type }) => type).join(', ')
  const detail = `For ${isWildcard ? '*.' : ''}${name} the authority offers ${offered || 'nothing'}; the file allows ${allowed.join(', ')}.`
  return { do: 'give up', problem: problem('noChallenge', detail) }
}

/** A problem that we state ourselves, in the form of theirs. */
export function problem(type: string, detail: string): AcmeProblem {
  return { type, detail, subproblems: [] }
}
