/** How many signatures may be made; whoever waits for one over TCP is served all the same. */
export type Budget = {
  /** whether one more may be made now; it is counted then */
  take(patient: boolean): boolean
}

/**
 * A bucket of signatures that fills up in one second.
 *
 * @param perSecond asked for at each signature
 * @param nowMs a clock that never goes back
 */
export function createBudget(perSecond: () => number, nowMs: () => number): Budget {
  let left = perSecond()
  let filledAt = nowMs()
  return {
    take(patient) {
      const now = nowMs()
      left = Math.min(perSecond(), left + ((now - filledAt) / 1000) * perSecond())
      filledAt = now
      if (left < 1 && !patient) return false
      left = Math.max(0, left - 1)
      return true
    },
  }
}
