import { cut, type Network, networkKey, parseNetwork } from '#core/network.ts'
import type { NetworkRule } from './plan.ts'

/** Networks by key, and the lengths of prefix that there are, longest first. */
export type NetworkTable = {
  readonly rules: ReadonlyMap<string, NetworkRule>
  readonly prefixes: Readonly<Record<Network['family'], readonly number[]>>
  /** who is in no network is refused */
  readonly isClosed: boolean
}

export type Admission = { readonly isAdmitted: boolean; readonly reason: string }

/** Prepare the networks of a Plan, which were checked before. */
export function compileNetworks(rules: readonly NetworkRule[]): NetworkTable {
  const entries = rules.flatMap((rule) => {
    const network = parseNetwork(rule.network)
    return network === undefined ? [] : [{ rule, network }]
  })
  const lengths = (family: Network['family']): number[] => {
    const found = entries
      .filter(({ network }) => network.family === family)
      .map(({ network }) => network.prefix)
    return [...new Set(found)].sort((a, b) => b - a)
  }
  return {
    rules: new Map(entries.map(({ rule, network }) => [networkKey(network), rule])),
    prefixes: { 4: lengths(4), 6: lengths(6) },
    isClosed: rules.some(({ isAllowed }) => isAllowed),
  }
}

/**
 * Decide by address: the longest prefix that holds it wins, whatever the order; who is in none is refused where
 * "allow" stands, and admitted where only "deny" does.
 *
 * @param address null: not known; nobody is admitted on a guess
 */
export function admitAddress({ rules, prefixes, isClosed }: NetworkTable, address: string | null): Admission {
  if (rules.size === 0) return { isAdmitted: true, reason: 'any address' }
  const own = address === null ? undefined : parseNetwork(address)
  if (own === undefined) return { isAdmitted: false, reason: 'address not known' }
  for (const prefix of prefixes[own.family]) {
    const rule = rules.get(networkKey(cut(own, prefix)))
    if (rule === undefined) continue
    const verb = rule.isAllowed ? 'allow' : 'deny'
    return { isAdmitted: rule.isAllowed, reason: `in ${rule.network} of "${verb}"` }
  }
  return isClosed
    ? { isAdmitted: false, reason: 'in no network of "allow"' }
    : { isAdmitted: true, reason: 'in no network of "deny"' }
}
