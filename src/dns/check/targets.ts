import type { Problem } from '#core/problem.ts'
import { cutAbove, exists, type Names, typesAt, zoneOf } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { nameBelow } from '#dns/records/written-name.ts'
import { type OwnerNode, problem, say, warning } from './finding.ts'

/** Which word of the data is a target that must not be an alias. */
const TARGET_WORD: Readonly<Record<string, { word: number; section: string }>> = {
  MX: { word: 1, section: 'RFC 2181 §10.3' },
  NS: { word: 0, section: 'RFC 2181 §10.3' },
  SRV: { word: 3, section: 'RFC 2782' },
}

/** Targets of MX, NS and SRV have an address themselves; an alias leads to a name that exists. */
export function checkTargets({ types, names }: OwnerNode): Problem[] {
  const targets = Object.entries(TARGET_WORD).flatMap(([type, { word, section }]) => {
    return (types.get(type) ?? []).flatMap((draft) => {
      const target = draft.data.split(' ')[word]!.toLowerCase()
      const alias = aliasOf(target, names)
      if (alias === undefined) return checkAddress(draft, target, names)
      const message = `${type} of "${say(draft.owner)}" names ${say(target)}, which is an alias of ${say(alias)}; the target must have an address itself (${section}).`
      const data = draft.data.split(' ').with(word, alias).join(' ')
      return [problem(`dns/${type.toLowerCase()}-target-is-alias`, draft.from, message, JSON.stringify(data))]
    })
  })
  const aliases = (types.get('CNAME') ?? []).flatMap((draft) => checkLead(draft, names))
  return [...targets, ...aliases]
}

/** Where a name leads that has a CNAME, or gets one from a DNAME above it (RFC 6672 §2.2). */
function aliasOf(target: string, names: Names): string | undefined {
  const alias = typesAt(target, names)?.get('CNAME')?.[0]
  if (alias !== undefined) return alias.data
  const apex = zoneOf(target, names.zones)
  const cut = apex === undefined ? undefined : cutAbove(target, apex, names)
  const dname = cut === undefined || cut === target ? undefined : names.owners.get(cut)?.get('DNAME')?.[0]
  return dname === undefined ? undefined : target.slice(0, -cut!.length) + dname.data
}

/** A target in a zone of ours that we know no address of: mail and calls go nowhere. */
function checkAddress(draft: RecordDraft, target: string, names: Names): Problem[] {
  const found = typesAt(target, names)
  const apex = zoneOf(target, names.zones)
  if (found?.has('A') === true || found?.has('AAAA') === true || apex === undefined) return []
  const fix = `"${nameBelow(target, apex)}": { "A": "203.0.113.10" }`
  // RFC 9471 §3.1: who asks for a server inside the zone that it serves needs its address from the parent.
  if (draft.type === 'NS' && `.${target}`.endsWith(`.${draft.owner}`)) {
    const message = `NS of "${say(draft.owner)}" names ${say(target)}, which is in that zone itself and has no address: nobody can ask it for its own (RFC 9471 §3.1).`
    return [problem('dns/glue-missing', draft.from, message, fix)]
  }
  // Below a delegation others know the address.
  if (cutAbove(target, apex, names) !== undefined) return []
  const message = `${draft.type} of "${say(draft.owner)}" names ${say(target)}, which has no address in ${say(apex)}: nobody reaches it.`
  return [warning('dns/target-without-address', draft.from, message, fix)]
}

/** An alias within our zones whose target does not exist at all. */
function checkLead(draft: RecordDraft, names: Names): Problem[] {
  const target = draft.data.toLowerCase()
  const apex = zoneOf(target, names.zones)
  if (apex === undefined || exists(target, names) || typesAt(target, names) !== undefined) return []
  if (cutAbove(target, apex, names) !== undefined) return []
  const message = `"${say(draft.owner)}" is an alias of ${say(target)}, which does not exist in ${say(apex)} (RFC 2308 §2.1).`
  const fix = `"hosts": { "${nameBelow(target, apex)}": { "service": 8080 } }, or another target`
  return [warning('dns/alias-of-nothing', draft.from, message, fix)]
}

/** "." as target says that there is no such service, so nothing stands beside it (RFC 7505 §3, RFC 2782). */
export function checkNullTargets({ owner, types }: OwnerNode): Problem[] {
  return ['MX', 'SRV'].flatMap((type) => {
    const set = types.get(type) ?? []
    const nothing = set.find(({ data }) => data.endsWith(' .'))
    if (nothing === undefined || set.length === 1) return []
    const [what, section] = type === 'MX' ? ['mail', 'RFC 7505 §3'] : ['service', 'RFC 2782']
    const message = `${type} "${nothing.data}" of "${say(owner)}" says that there is no ${what} here, but others beside it name hosts for it (${section}).`
    return [
      problem('dns/null-target-not-alone', nothing.from, message, `remove "${nothing.data}", or the others`),
    ]
  })
}
