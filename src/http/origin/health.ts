import type { HealthPlan } from '../service-plan.ts'

/** What the checks of an origin have come to. */
export type Health = {
  readonly isWell: boolean
  /** checks in a row that say otherwise */
  readonly against: number
}

/** Until checks say otherwise an origin is used: else nothing would be answered after a start. */
export const ASSUMED: Health = { isWell: true, against: 0 }

/**
 * What one more check makes of it.
 *
 * Only so many checks in a row change it, and each that confirms it starts the count anew: an origin on the edge does
 * not go up and down with every check.
 */
export function judgeCheck(health: Health, isGood: boolean, { up, down }: HealthPlan): Health {
  const { isWell } = health
  if (isGood === isWell) return health.against === 0 ? health : { isWell, against: 0 }
  const against = health.against + 1
  return against >= (isWell ? down : up) ? { isWell: isGood, against: 0 } : { isWell, against }
}
