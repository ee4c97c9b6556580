import type { AliasAddresses } from './overlay-plan.ts'
import type { AliasPlan } from './plan.ts'

/** What is known of the target of an ALIAS: the addresses of one family. */
export type FoundAddresses = { readonly addresses: readonly string[]; readonly ttl: number }

/** Follows the targets of ALIAS. */
export type AliasTargets = {
  /**
   * Follow these targets from now on. What is not known yet is asked for at once.
   *
   * @returns when each was asked once
   */
  replace(aliases: readonly AliasPlan[]): Promise<void>
  /** Ask at once for those targets that have changed. */
  again(hasChanged: (target: string) => boolean): void
  /** by owner */
  addresses(): Readonly<Record<string, AliasAddresses>>
  close(): void
}

export type AliasTargetsOptions = {
  /** Find the addresses of a name; a text says why there are none, `addresses` is empty where it has none. */
  readonly resolve: (name: string, type: 'A' | 'AAAA') => Promise<FoundAddresses | string>
  /** what was known when this program ended last */
  readonly known: Readonly<Record<string, AliasAddresses>>
  readonly onChange: (owner: string, addresses: AliasAddresses | undefined, fault: string | undefined) => void
}

type Followed = {
  readonly plan: AliasPlan
  found: AliasAddresses | undefined
  timer: NodeJS.Timeout | undefined
}

/** Seconds between questions: the TTL of what was found, within bounds; and soon after a failure. */
const REFRESH = { least: 5, most: 3600, failed: 10 } as const

/** Ask for targets again and again, in the time of their TTL. */
export function createAliasTargets({ resolve, known, onChange }: AliasTargetsOptions): AliasTargets {
  let followed = new Map<string, Followed>()
  let isClosed = false

  async function replace(aliases: readonly AliasPlan[]): Promise<void> {
    const next = new Map<string, Followed>()
    const first: Promise<void>[] = []
    for (const plan of aliases) {
      const running = followed.get(plan.owner)
      const isSame = running?.plan.target === plan.target
      const one: Followed = isSame ? running : { plan, found: savedFor(plan), timer: undefined }
      next.set(plan.owner, one)
      if (!isSame) first.push(refresh(one))
    }
    const before = followed
    followed = next
    for (const [owner, one] of before) if (next.get(owner) !== one) clearTimeout(one.timer)
    await Promise.all(first)
  }

  function savedFor({ owner, target }: AliasPlan): AliasAddresses | undefined {
    const saved = known[`${owner} ${target}`]
    return saved === undefined ? undefined : { ...saved, isStale: true }
  }

  async function refresh(one: Followed): Promise<void> {
    const { owner, target } = one.plan
    const [ipv4, ipv6] = await Promise.all([resolve(target, 'A'), resolve(target, 'AAAA')])
    if (isClosed || followed.get(owner) !== one) return
    const fault = typeof ipv4 === 'string' ? ipv4 : typeof ipv6 === 'string' ? ipv6 : undefined
    const before = one.found
    if (typeof ipv4 === 'string' || typeof ipv6 === 'string') {
      if (before !== undefined) one.found = { ...before, isStale: true }
    } else {
      const ttl = Math.min(ipv4.ttl, ipv6.ttl)
      one.found = { ipv4: ipv4.addresses, ipv6: ipv6.addresses, ttl, isStale: false }
    }
    const seconds = fault === undefined ? one.found!.ttl : REFRESH.failed
    const pause = Math.min(Math.max(seconds, REFRESH.least), REFRESH.most)
    clearTimeout(one.timer)
    one.timer = setTimeout(() => void refresh(one), pause * 1000).unref()
    if (JSON.stringify(before) !== JSON.stringify(one.found)) onChange(owner, one.found, fault)
  }

  return {
    replace,
    again(hasChanged) {
      for (const one of followed.values()) {
        if (!hasChanged(one.plan.target)) continue
        clearTimeout(one.timer)
        void refresh(one)
      }
    },
    addresses: () =>
      Object.fromEntries(
        Array.from(followed).flatMap(([owner, { found }]) => (found === undefined ? [] : [[owner, found]])),
      ),
    close() {
      isClosed = true
      for (const { timer } of followed.values()) clearTimeout(timer)
    },
  }
}
