import type { MemberHealthPlan, MemberState } from './plan.ts'

/** What the checks of a member have come to; `against` counts those in a row that say otherwise. */
export type Judged = MemberState & { readonly against: number }

/** What one check said. */
export type MemberCheck = { readonly isGood: boolean; readonly detail: string; readonly atMs: number }

/**
 * What one more check makes of a member. The first decides alone, so that the first answer knows; after it only so
 * many in a row change anything, and a member on the edge does not go up and down with every check.
 */
export function judgeMember(
  before: Judged | undefined,
  { isGood, detail, atMs }: MemberCheck,
  { up, down }: Pick<MemberHealthPlan, 'up' | 'down'>,
): Judged {
  if (before === undefined) return { isUp: isGood, detail, sinceMs: atMs, against: 0 }
  if (isGood === before.isUp) return { ...before, detail, against: 0 }
  const against = before.against + 1
  if (against < (before.isUp ? down : up)) return { ...before, detail, against }
  return { isUp: isGood, detail, sinceMs: atMs, against: 0 }
}
