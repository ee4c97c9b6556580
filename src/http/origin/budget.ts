/** How many requests may still be passed on a second time: a fifth of all, and a few a second beside. */
export type Budget = { readonly tokens: number; readonly at: number }

const TOKENS_PER_REQUEST = 0.2
const TOKENS_PER_SECOND = 10
// As many as can be under way to one origin by default: all of them fail at once when it is killed.
const LIMIT_TOKENS = 256

/** A budget that is full. */
export function createBudget(now: number): Budget {
  return { tokens: LIMIT_TOKENS, at: now }
}

/**
 * Add what has been earned since.
 *
 * @param requests that came since the last time
 * @param now milliseconds
 */
export function earn({ tokens, at }: Budget, requests: number, now: number): Budget {
  const earned = requests * TOKENS_PER_REQUEST + ((now - at) / 1000) * TOKENS_PER_SECOND
  return { tokens: Math.min(tokens + earned, LIMIT_TOKENS), at: now }
}

/** @returns what is left after one more, or undefined when there is not enough */
export function spend({ tokens, at }: Budget): Budget | undefined {
  return tokens < 1 ? undefined : { tokens: tokens - 1, at }
}
