import { checkMember } from './check-member.ts'
import { type Judged, judgeMember } from './judge-member.ts'
import { type MemberHealthPlan, memberKey, type PoolHealth, type PoolPlan } from './plan.ts'

/** Asks the members of pools whether they are up. */
export type PoolChecks = {
  /**
   * Check these members from now on, and those that left no more. What is not known yet is asked for at once.
   *
   * @returns when each was asked once, which `timeoutMs` of its health bounds
   */
  replace(pools: readonly PoolPlan[]): Promise<void>
  health(): PoolHealth
  close(): void
}

export type PoolChecksOptions = {
  readonly now: () => number
  /** a member went up or down */
  readonly onChange: (member: string, isUp: boolean, detail: string) => void
}

type Checked = { readonly key: string; judged: Judged | undefined; timer: NodeJS.Timeout | undefined }

/** Checks of many members, and of many of us, must not come at one time. */
const JITTER = 0.1

/** @example await checks.replace(plan.pools); checks.health() */
export function createPoolChecks({ now, onChange }: PoolChecksOptions): PoolChecks {
  let members = new Map<string, Checked>()
  let isClosed = false

  async function replace(pools: readonly PoolPlan[]): Promise<void> {
    const next = new Map<string, Checked>()
    const first: Promise<void>[] = []
    for (const pool of pools) {
      const { health } = pool
      if (health === undefined) continue
      for (const { address } of pool.members) {
        const name = memberKey(pool.id, address)
        const known = members.get(name)
        // Other thresholds or another port: what is known of the member stays until it is asked again.
        const isSame = known?.key === JSON.stringify(health)
        const checked: Checked = isSame
          ? known
          : { key: JSON.stringify(health), judged: known?.judged, timer: undefined }
        next.set(name, checked)
        if (!isSame) first.push(check(name, checked, address, health))
      }
    }
    const before = members
    members = next
    for (const [name, checked] of before) if (next.get(name) !== checked) clearTimeout(checked.timer)
    await Promise.all(first)
  }

  async function check(
    name: string,
    checked: Checked,
    address: string,
    health: MemberHealthPlan,
  ): Promise<void> {
    const result = await checkMember(address, health)
    if (isClosed || members.get(name) !== checked) return
    const before = checked.judged
    checked.judged = judgeMember(before, { ...result, atMs: now() }, health)
    const pauseMs = health.intervalMs * (1 + JITTER * (2 * Math.random() - 1))
    checked.timer = setTimeout(() => void check(name, checked, address, health), pauseMs).unref()
    if (checked.judged.isUp !== (before?.isUp ?? true)) onChange(name, checked.judged.isUp, result.detail)
  }

  return {
    replace,
    health: () =>
      Object.fromEntries(
        Array.from(members).flatMap(([name, { judged }]) => {
          if (judged === undefined) return []
          const { against: _, ...state } = judged
          return [[name, state]]
        }),
      ),
    close() {
      isClosed = true
      for (const { timer } of members.values()) clearTimeout(timer)
    },
  }
}
