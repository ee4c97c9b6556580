/** So many requests in so much time, and so many at once. */
export type Rate = {
  /** milliseconds after which another request may come */
  readonly intervalMs: number
  /** requests that may come at once after a rest */
  readonly burst: number
}

export type Spent = {
  /** the bucket after this request: when it will be full again */
  readonly fullAtMs: number
  /** 0: the request may go on; else the time after which one more may */
  readonly waitMs: number
}

/**
 * Take a token from a bucket.
 *
 * A bucket is kept as the time at which it will be full again: every request moves that time by one interval, and
 * one that would move it farther away than a whole bucket is refused. It costs one number a client, and no timer.
 *
 * @param fullAtMs of the bucket; a client that was not seen has a full one: any time up to now
 */
export function spend(fullAtMs: number, { intervalMs, burst }: Rate, nowMs: number): Spent {
  const next = Math.max(fullAtMs, nowMs) + intervalMs
  const waitMs = next - nowMs - burst * intervalMs
  // A thousandth of a millisecond: sums of intervals are not exact.
  return waitMs > 0.001 ? { fullAtMs, waitMs } : { fullAtMs: next, waitMs: 0 }
}
