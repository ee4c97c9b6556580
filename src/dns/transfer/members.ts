import { contentKey } from '#core/node.ts'
import { absoluteName } from '#dns/records/written-name.ts'
import type { ZonePlan } from '../plan.ts'
import type { Version } from './difference.ts'
import type { MovePlan } from './plan.ts'

/** What changed since a Plan was committed. */
export type ZoneNews = {
  readonly versions: readonly Version[]
  /** apexes of zones that are served no longer, and all members of catalogs; absent: as before */
  readonly members?: { readonly gone: readonly string[]; readonly moves: readonly MovePlan[] }
}

/** Members of all catalogs: each costs a zone, a timer, and a question to its primary now and then. */
export const MEMBERS_LIMIT = 10_000

/**
 * Read a catalog zone (RFC 9432 §4.1).
 *
 * @returns labels of its members by their apexes; or why nothing of it is to be believed (RFC 9432 §5.1)
 */
export function readCatalog({ apex, rrsets }: ZonePlan): ReadonlyMap<string, string> | string {
  const version = rrsets.find(({ owner, type }) => owner === `version.${apex}` && type === 'TXT')
  if (version?.data.join(' ') !== '"2"') return 'it has no version, or one that is not "2" (RFC 9432 §4.2.1)'
  const members = new Map<string, string>()
  const end = `.zones.${apex}`
  for (const { owner, type, data } of rrsets) {
    if (type !== 'PTR' || !owner.endsWith(end)) continue
    const label = owner.slice(0, -end.length)
    if (/(?<!\\)\./.test(label)) continue
    const member = absoluteName(data[0]!)
    if (data.length > 1 || typeof member !== 'string') return `${owner} names no one zone (RFC 9432 §4.1)`
    if (members.has(member)) return `it lists ${member} twice (RFC 9432 §4.1)`
    members.set(member, label)
  }
  return members
}

/** A member of a catalog, which is named by its apex. */
export type MemberPlan = MovePlan & { readonly catalog: string }

export type MembersInput = {
  /** copies, of which some are catalogs; expired ones too: their members stay */
  readonly zones: Iterable<{ readonly move: MovePlan | null; readonly version: Version }>
  /** whether the file has a domain itself, which wins */
  readonly isTaken: (apex: string) => boolean
  readonly before: ReadonlyMap<string, MemberPlan>
  /** told of each catalog that is not read; its members stay as they were */
  readonly onFault: (catalog: string, fault: string) => void
}

/**
 * Decide how the members of catalogs move: from where the catalog comes, with its key, and on to where it goes. Of two
 * catalogs that list one zone the first has it (RFC 9432 §4.3.1).
 */
export function planMembers({
  zones,
  isTaken,
  before,
  onFault,
}: MembersInput): ReadonlyMap<string, MemberPlan> {
  const members = new Map<string, MemberPlan>()
  for (const { move, version } of zones) {
    if (move?.isCatalog !== true) continue
    const listed = readCatalog(version.plan)
    const next =
      typeof listed === 'string'
        ? [...before.values()].filter(({ catalog }) => catalog === move.apex)
        : Array.from(listed, ([apex, label]) => planMember(move, apex, label))
    if (typeof listed === 'string') onFault(move.apex, listed)
    for (const member of next) {
      if (isTaken(member.apex) || members.has(member.apex)) continue
      if (members.size < MEMBERS_LIMIT) members.set(member.apex, member)
      else return members
    }
  }
  return members
}

function planMember(
  { from, out, secondary, key, apex: catalog }: MovePlan,
  apex: string,
  label: string,
): MemberPlan {
  return {
    id: `move:${apex.slice(0, -1)}`,
    // Another label is another zone of the same name (RFC 9432 §5.4).
    key: contentKey([key, apex, label]),
    ...{ from, apex, out, secondary, catalog, update: null, isCatalog: false },
  }
}
