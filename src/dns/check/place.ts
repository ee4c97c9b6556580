import type { Problem } from '#core/problem.ts'
import { cutAbove, type Names } from '#dns/records/names.ts'
import { type OwnerNode, problem, say } from './finding.ts'

/** Names of name servers of delegations: their addresses may stand below a cut, as glue (RFC 9471 §3.2). */
export function glueOf(owners: readonly string[], names: Names): ReadonlySet<string> {
  const servers = owners.flatMap((owner) => {
    const types = names.owners.get(owner)!
    return types.has('NS') ? types.get('NS')! : []
  })
  return new Set(servers.map(({ data }) => data.toLowerCase()))
}

/** What stands below a delegation or a DNAME is not ours to answer (RFC 1034 §4.2.1, RFC 6672 §2.4). */
export function checkPlace({ owner, apex, types, names }: OwnerNode, glue: ReadonlySet<string>): Problem[] {
  const cut = cutAbove(owner, apex, names)
  if (cut === undefined) return []
  // The apex has NS of its own: what cuts there is a DNAME.
  const server = cut === apex ? undefined : names.owners.get(cut)!.get('NS')?.[0]
  // A DNAME beside the NS has a rule of its own.
  const allowed = [...(owner === cut ? ['NS', 'DS', 'DNAME'] : []), ...(glue.has(owner) ? ['A', 'AAAA'] : [])]
  const type = types.keys().find((each) => server === undefined || !allowed.includes(each))
  if (type === undefined) return []
  const what = server === undefined ? 'a DNAME' : `delegated to ${say(server.data)}`
  const section = server === undefined ? 'RFC 6672 §2.4' : 'RFC 1034 §4.2.1'
  const message = `${type} of "${say(owner)}" stands at or below "${say(cut)}", which is ${what}: it is never answered from here (${section}).`
  const fix =
    server === undefined
      ? `remove it, or the DNAME of ${say(cut)}`
      : `move it to the servers of ${say(cut)}, or remove its NS`
  return [problem('dns/below-delegation', types.get(type)![0]!.from, message, fix)]
}

/** Types that speak of a whole zone, and stand at its apex. */
export const APEX_TYPES: ReadonlyMap<string, string> = new Map([
  ['DNSKEY', 'RFC 4035 §2.1'],
  ['NSEC3PARAM', 'RFC 5155 §4'],
  ['CDS', 'RFC 7344 §4.1'],
  ['CDNSKEY', 'RFC 7344 §4.1'],
  ['CSYNC', 'RFC 7477 §2.1'],
])

/** A DS stands where a child is delegated, in the parent's zone (RFC 4035 §2.4); keys stand at the apex. */
export function checkKeyPlace({ owner, apex, types, names }: OwnerNode): Problem[] {
  const problems: Problem[] = []
  const ds = types.get('DS')?.[0]
  if (ds !== undefined && owner === apex) {
    const message = `DS of "${say(owner)}" stands in the zone that it is about; resolvers ask the parent for it (RFC 4035 §2.4).`
    problems.push(problem('dns/ds-place', ds.from, message, 'give it to the registrar, and remove it here'))
  } else if (ds !== undefined && !types.has('NS')) {
    const message = `DS of "${say(owner)}" speaks of a delegation, but no NS delegates that name (RFC 4035 §2.4).`
    problems.push(problem('dns/ds-place', ds.from, message, 'add "NS" beside it, or remove the DS'))
  }
  if (owner === apex || cutAbove(owner, apex, names) !== undefined) return problems
  for (const [type, section] of APEX_TYPES) {
    const draft = types.get(type)?.[0]
    if (draft === undefined) continue
    const message = `${type} of "${say(owner)}" speaks of a zone, and "${say(owner)}" is the apex of none (${section}).`
    problems.push(problem('dns/apex-only', draft.from, message, `"@": { "${type}": … }`))
  }
  return problems
}
