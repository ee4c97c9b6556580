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

/** What a catalog says of a member. */
export type Listed = {
  readonly label: string
  /** the catalog that it shall move to once that one lists it, too (RFC 9432 §4.3.1) */
  readonly leavesTo: string | null
}

/**
 * Read a catalog zone (RFC 9432 §4.1).
 *
 * @returns its members by their apexes; or why nothing of it is to be believed (RFC 9432 §5.1)
 */
export function readCatalog({ apex, rrsets }: ZonePlan): ReadonlyMap<string, Listed> | string {
  const version = rrsets.find(({ owner, type }) => owner === `version.${apex}` && type === 'TXT')
  if (version?.data.join(' ') !== '"2"') return 'it has no version, or one that is not "2" (RFC 9432 §4.2.1)'
  const members = new Map<string, Listed>()
  const targets = new Map(rrsets.flatMap(({ owner, type, data }) => (type === 'PTR' ? [[owner, data]] : [])))
  const end = `.zones.${apex}`
  for (const { owner, type, data } of rrsets) {
    if (type !== 'PTR' || !owner.endsWith(end)) continue
    const label = owner.slice(0, -end.length)
    if (/(?<!\\)\./.test(label)) continue
    const member = absoluteName(data[0]!)
    if (data.length > 1 || typeof member !== 'string') return `${owner} names no one zone (RFC 9432 §4.1)`
    if (members.has(member)) return `it lists ${member} twice (RFC 9432 §4.1)`
    // RFC 9432 §4.3.1: one of several is none.
    const [next, ...more] = targets.get(`coo.${owner}`) ?? []
    const leavesTo = next === undefined || more.length > 0 ? undefined : absoluteName(next)
    members.set(member, { label, leavesTo: typeof leavesTo === 'string' ? leavesTo : null })
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
  /** told of each catalog that is not read, whose members stay as they were, and of each zone that it does not get */
  readonly onFault: (catalog: string, fault: string) => void
}

/** A catalog, and what it lists; null when it is broken. */
type Catalog = { readonly move: MovePlan; readonly listed: ReadonlyMap<string, Listed> | null }

/**
 * Decide how the members of catalogs move: from where the catalog comes, with its key, and on to where it goes. A zone
 * stays with the catalog that it came with (RFC 9432 §5.2), until that one says where it goes, or lists it no longer.
 */
export function planMembers({
  zones,
  isTaken,
  before,
  onFault,
}: MembersInput): ReadonlyMap<string, MemberPlan> {
  const catalogs = new Map<string, Catalog>()
  for (const { move, version } of zones) {
    if (move?.isCatalog !== true) continue
    const listed = readCatalog(version.plan)
    if (typeof listed === 'string') onFault(move.apex, listed)
    catalogs.set(move.apex, { move, listed: typeof listed === 'string' ? null : listed })
  }
  const members = new Map<string, MemberPlan>()
  const add = (member: MemberPlan): void => {
    if (isTaken(member.apex) || members.has(member.apex) || members.size >= MEMBERS_LIMIT) return
    members.set(member.apex, member)
  }
  for (const member of before.values()) {
    const next = memberAfter(member, catalogs)
    if (next !== undefined) add(next)
  }
  for (const { move, listed } of catalogs.values()) {
    for (const [apex, { label }] of listed ?? []) {
      add(planMember(move, apex, label))
      // RFC 9432 §5.2: a clash is an error to be told of.
      const owner = isTaken(apex) ? 'the file' : members.get(apex)?.catalog
      if (owner !== move.apex) onFault(move.apex, `${apex} is of ${owner ?? 'nobody: there are too many'}`)
    }
  }
  return members
}

/** What becomes of a member: it stays, it goes where its catalog says, or it is a member no longer. */
function memberAfter(member: MemberPlan, catalogs: ReadonlyMap<string, Catalog>): MemberPlan | undefined {
  const home = catalogs.get(member.catalog)
  if (home === undefined) return undefined
  if (home.listed === null) return member
  const here = home.listed.get(member.apex)
  if (here === undefined) return undefined
  const next = here.leavesTo === null ? undefined : catalogs.get(here.leavesTo)
  const there = next?.listed?.get(member.apex)
  if (next === undefined || there === undefined) return planMember(home.move, member.apex, here.label)
  return planMember(next.move, member.apex, there.label)
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
