import type { Problem } from '#core/problem.ts'
import { cutAbove, labelsOf, type Names, parentOf, type Types } from '#dns/records/names.ts'
import { isHostLabel, nameBelow } from '#dns/records/written-name.ts'
import { type OwnerNode, problem, say, warning } from './finding.ts'

/**
 * A wildcard answers only for names that do not exist (RFC 4592 §2.2.1): one that exists with another type,
 * or only because something stands below it, gets no address from it.
 */
export function checkReach(owners: readonly string[], apex: string, names: Names): Problem[] {
  if (names.zones.get(apex)?.hasWildcards !== true) return []
  const problems: Problem[] = []
  const told = new Set<string>()
  for (const owner of owners) {
    // A name that was reported as mistyped says nothing of what its writer wants.
    if (labelsOf(owner).includes('*', 1) || owner.endsWith(`.${apex}${apex}`)) continue
    // Names that this owner makes exist: itself, and what stands between it and the apex.
    for (let name = owner; name !== apex; name = parentOf(name)) {
      const wildcard = `*.${parentOf(name)}`
      if (name === wildcard || told.has(name) || !hasAddress(wildcard, names)) continue
      if (hasAddress(name, names) || !isPlainHost(name) || cutAbove(name, apex, names) !== undefined) continue
      told.add(name)
      problems.push(notReached(wildcard, name, owner, apex, names.owners.get(owner)!))
    }
  }
  return problems
}

function notReached(wildcard: string, name: string, below: string, apex: string, types: Types): Problem {
  const because = name === below ? `has ${types.keys().join(', ')}` : `has "${say(below)}" below it`
  const message = `"${say(wildcard)}" gives "${say(name)}" no address: that name exists, because it ${because} (RFC 4592 §2.2.1).`
  const fix = `"${nameBelow(name, apex)}": { "A": "203.0.113.10" }, or a host of that name`
  return warning('dns/wildcard-does-not-reach', types.first.from, message, fix)
}

const GIVES_ADDRESS = ['A', 'AAAA', 'CNAME', 'ALIAS'] as const

function hasAddress(name: string, names: Names): boolean {
  const types = names.owners.get(name)
  return types !== undefined && GIVES_ADDRESS.some((type) => types.has(type))
}

function isPlainHost(name: string): boolean {
  return labelsOf(name).every(isHostLabel)
}

/** Types that a wildcard cannot hold, or holds without anyone knowing what it means. */
const UNFIT: Readonly<Record<string, string>> = {
  NS: 'RFC 4592 §4.2',
  DNAME: 'RFC 4592 §4.4',
}

/** A delegation by wildcard has no meaning that servers and resolvers share (RFC 4592 §4.2). */
export function checkWildcardData({ owner, apex, types }: OwnerNode): Problem[] {
  if (!owner.startsWith('*.')) return []
  return Object.entries(UNFIT).flatMap(([type, section]) => {
    const draft = types.get(type)?.[0]
    if (draft === undefined) return []
    const message = `"${say(owner)}" has ${type}; what a wildcard means there is not defined, and servers differ (${section}).`
    const fix = `"name": { "${type}": … } for each name, or the same at "${nameBelow(parentOf(owner), apex)}"`
    return [problem('dns/wildcard-delegation', draft.from, message, fix)]
  })
}
