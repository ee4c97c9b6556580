import type { MannerPlan } from '#dns/plan.ts'

/** Limits of all workers together; the others hold for each connection. */
const SHARED = ['connections', 'originConnections', 'tcpConnections']

/**
 * The part of one worker in limits of a whole: rounded up, so that each may do something.
 *
 * @example shareLimits({ connections: 5, headerOctets: 1024 }, 2) // { connections: 3, headerOctets: 1024 }
 */
export function shareLimits<Limits extends Readonly<Record<string, number>>>(
  limits: Limits,
  workers: number,
): Limits {
  const shares = Object.entries(limits).map(([name, limit]) => {
    return [name, SHARED.includes(name) ? Math.ceil(limit / workers) : limit]
  })
  return Object.fromEntries(shares) as Limits
}

/** The part of one worker in the answers that a network of clients gets. */
export function shareRate(manner: MannerPlan, workers: number): MannerPlan {
  const { rate } = manner
  if (rate === undefined) return manner
  return { ...manner, rate: { ...rate, perSecond: Math.ceil(rate.perSecond / workers) } }
}
