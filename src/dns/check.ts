import type { Position, Problem } from '#core/problem.ts'
import { cutAbove, labelsOf, type Names, parentOf, type Types, typesAt, zoneOf } from './names.ts'
import type { RecordDraft } from './records.ts'
import { isHostLabel, nameBelow } from './written-name.ts'

/** Everything that DNS forbids, or that does not do what it seems to, in the records of all zones. */
export function checkZones(names: Names): Problem[] {
  const zones = [...names.zones.keys()].flatMap((apex) => checkZone(apex, names))
  return [...zones, ...checkLoops(names)]
}

function checkZone(apex: string, names: Names): Problem[] {
  const problems: Problem[] = []
  const owners = names.zones.get(apex) ?? []
  const glue = glueOf(owners, names)
  for (const owner of owners) {
    const types = names.owners.get(owner)!
    problems.push(...checkOwnerName(owner, apex, types))
    problems.push(...checkAlias(owner, apex, types))
    for (const set of types.values()) problems.push(...checkSet(set))
    problems.push(...checkTargets(types, names))
    problems.push(...checkPolicyTexts(owner, types))
    problems.push(...checkPlace(owner, apex, { types, names, glue }))
  }
  problems.push(...checkWildcards(owners, apex, names))
  return problems
}

/** RFC 1123 §2.1 for names with addresses; the wildcard's place (RFC 4592 §2.1.1). */
function checkOwnerName(owner: string, apex: string, types: Types): Problem[] {
  const labels = labelsOf(owner)
  const first = firstOf(types)
  if (labels.slice(1).includes('*')) {
    const message = `"${say(owner)}" has a "*" that is not the leftmost label: it matches nothing but itself (RFC 4592 §2.1.1).`
    const wildcard = `${labels.slice(labels.lastIndexOf('*')).join('.')}.`
    return [problem('dns/wildcard-not-leftmost', first.from, message, `"${nameBelow(wildcard, apex)}"`)]
  }
  const alias = types.get('CNAME')?.find(({ why }) => why === 'derived from the host')
  const address = types.get('A')?.[0] ?? types.get('AAAA')?.[0] ?? alias
  if (address === undefined) return []
  // The apex was checked when the domain was read: only what stands left of it is new.
  const below = owner === apex ? [] : labelsOf(owner.slice(0, -apex.length))
  const odd = below.find((label, index) => !(index === 0 && label === '*') && !isHostLabel(label))
  if (odd === undefined) return []
  if (isHostLabel(odd.replaceAll('_', 'a'))) {
    // An alias is often a key or a verification that another service keeps.
    if (address === alias) return []
    const message = `"${say(owner)}" has an address, but hosts have no "_" in their names (RFC 1123 §2.1); browsers and certificate authorities refuse it (RFC 8552 keeps "_" for other records).`
    return [warning('dns/underscore-on-address', address.from, message, `"${odd.replaceAll('_', '-')}"`)]
  }
  const message = `"${odd}" in "${say(owner)}" is no host name: letters, digits and "-" inside (RFC 1123 §2.1).`
  const plain = odd.replace(/[^a-z0-9-]/g, '').replace(/^-+|-+$/g, '')
  const fix = plain === '' ? 'rename the host' : `"${plain}"`
  return [problem('dns/host-name-characters', address.from, message, fix)]
}

/** RFC 1034 §3.6.2, RFC 2181 §10.1. */
function checkAlias(owner: string, apex: string, types: Types): Problem[] {
  const aliases = types.get('CNAME')
  if (aliases === undefined) return []
  const alias = aliases[0]!
  const problems: Problem[] = []
  const targets = [...new Set(aliases.map(({ data }) => data))]
  if (targets.length > 1) {
    const message = `"${say(owner)}" is a CNAME to ${targets.map(say).join(' and to ')}; a name has one canonical name (RFC 2181 §10.1).`
    problems.push(
      problem(
        'dns/several-cnames',
        aliases.find(({ data }) => data === targets[1])!.from,
        message,
        'keep one of them',
      ),
    )
  }
  if (owner === apex) {
    const message = `"${say(owner)}" is the apex of the zone: it has SOA and NS, and a CNAME stands alone (RFC 1912 §2.4).`
    problems.push(
      problem(
        'dns/cname-at-apex',
        alias.from,
        message,
        'give the apex an address, or redirect it: "@": { "redirect": "https://www.…" }',
      ),
    )
    return problems
  }
  const others = [...types.keys()].filter((type) => !['CNAME', 'RRSIG', 'NSEC', 'KEY'].includes(type))
  if (others.length > 0) {
    const message = `"${say(owner)}" is a CNAME and has ${others.join(', ')} too; a CNAME stands alone (RFC 1034 §3.6.2).`
    const derived = types.get(others[0]!)![0]!.why === 'derived from the host'
    const fix = derived
      ? 'remove the CNAME, or make the host an "alias"'
      : `put ${others.join(', ')} at ${say(alias.data)}, or remove the CNAME`
    problems.push(problem('dns/cname-and-other-data', alias.from, message, fix))
  }
  return problems
}

/** Rules within one RRset: no doubles (RFC 2181 §5), one TTL (RFC 2181 §5.2). */
function checkSet(set: readonly RecordDraft[]): Problem[] {
  const problems: Problem[] = []
  const seen = new Set<string>()
  const { owner, type, ttl } = set[0]!
  for (const draft of set) {
    const data = foldsCase(type) ? draft.data.toLowerCase() : draft.data
    if (seen.has(data)) {
      const message = `${type} ${draft.data} of "${say(owner)}" stands twice; an RRset has no doubles (RFC 2181 §5).`
      problems.push(problem('dns/duplicate-record', draft.from, message, 'remove one of them'))
    }
    seen.add(data)
  }
  const other = set.find((draft) => draft.ttl !== ttl)
  if (other !== undefined) {
    const message = `${type} of "${say(owner)}" has the TTLs ${ttl} and ${other.ttl}; records of one RRset share one TTL (RFC 2181 §5.2).`
    problems.push(problem('dns/ttl-differs', other.from, message, `"ttl": ${Math.min(ttl, other.ttl)}`))
  }
  return problems
}

function foldsCase(type: string): boolean {
  return ['CNAME', 'DNAME', 'MX', 'NS', 'PTR', 'SRV'].includes(type)
}

/** Which word of the data is a target that must not be an alias. */
const TARGET_WORD: Readonly<Record<string, { word: number; section: string }>> = {
  MX: { word: 1, section: 'RFC 2181 §10.3' },
  NS: { word: 0, section: 'RFC 2181 §10.3' },
  SRV: { word: 3, section: 'RFC 2782' },
}

function checkTargets(types: Types, names: Names): Problem[] {
  return Object.entries(TARGET_WORD).flatMap(([type, { word, section }]) => {
    return (types.get(type) ?? []).flatMap((draft) => {
      const target = draft.data.split(' ')[word]!.toLowerCase()
      const found = typesAt(target, names)
      const alias = found?.get('CNAME')?.[0]
      if (alias === undefined)
        return found?.has('A') || found?.has('AAAA') ? [] : checkReach(draft, target, names)
      const message = `${type} of "${say(draft.owner)}" names ${say(target)}, which is an alias of ${say(alias.data)}; the target must have an address itself (${section}).`
      const data = draft.data.split(' ').with(word, alias.data).join(' ')
      return [problem(`dns/${type.toLowerCase()}-target-is-alias`, draft.from, message, JSON.stringify(data))]
    })
  })
}

/** A target in a zone of ours that we know no address of: mail and calls go nowhere. */
function checkReach(draft: RecordDraft, target: string, names: Names): Problem[] {
  const apex = zoneOf(target, names.zones)
  if (apex === undefined) return []
  // Below a delegation others know the address, but for the delegation's own servers, which need glue here.
  const cut = cutAbove(target, apex, names)
  if (cut !== undefined && !(draft.type === 'NS' && draft.owner === cut)) return []
  const why =
    cut === undefined ? 'nobody reaches it' : 'nobody can ask it for its own address (RFC 9471 §3.1)'
  const message = `${draft.type} of "${say(draft.owner)}" names ${say(target)}, which has no address in ${say(apex)}: ${why}.`
  const fix = `"${nameBelow(target, apex)}": { "A": "203.0.113.10" }`
  return [warning('dns/target-without-address', draft.from, message, fix)]
}

/** RFC 7208 §4.5: several policies are as good as none. */
function checkPolicyTexts(owner: string, types: Types): Problem[] {
  const policies = (types.get('TXT') ?? []).filter(({ data }) => /^"v=spf1( |")/i.test(data))
  if (policies.length < 2) return []
  const message = `"${say(owner)}" has ${policies.length} SPF records; receivers then ignore all of them (RFC 7208 §4.5).`
  return [
    problem('dns/several-spf', policies[1]!.from, message, 'join their mechanisms in one "v=spf1 … -all"'),
  ]
}

/** Names of name servers of delegations: their addresses may stand below a cut, as glue (RFC 9471 §3.2). */
function glueOf(owners: readonly string[], names: Names): ReadonlySet<string> {
  const servers = owners.flatMap((owner) => names.owners.get(owner)!.get('NS') ?? [])
  return new Set(servers.map(({ data }) => data.toLowerCase()))
}

/** What stands below a delegation or a DNAME is not ours to answer (RFC 1034 §4.2.1, RFC 6672 §2.4). */
function checkPlace(
  owner: string,
  apex: string,
  { types, names, glue }: { types: Types; names: Names; glue: ReadonlySet<string> },
): Problem[] {
  const cut = cutAbove(owner, apex, names)
  if (cut === undefined) return []
  const server = names.owners.get(cut)!.get('NS')?.[0]
  const allowed = [...(owner === cut ? ['NS', 'DS'] : []), ...(glue.has(owner) ? ['A', 'AAAA'] : [])]
  const stray = [...types].find(([type]) => server === undefined || !allowed.includes(type))
  if (stray === undefined) return []
  const [type, drafts] = stray
  const what = server === undefined ? 'a DNAME' : `delegated to ${say(server.data)}`
  const section = server === undefined ? 'RFC 6672 §2.4' : 'RFC 1034 §4.2.1'
  const message = `${type} of "${say(owner)}" stands at or below "${say(cut)}", which is ${what}: it is never answered from here (${section}).`
  const fix =
    server === undefined
      ? `remove it, or the DNAME of ${say(cut)}`
      : `move it to the servers of ${say(cut)}, or remove its NS`
  return [problem('dns/below-delegation', drafts[0]!.from, message, fix)]
}

/** A chain of aliases that comes back to itself has no end (RFC 1034 §3.6.2). */
function checkLoops(names: Names): Problem[] {
  const problems: Problem[] = []
  const settled = new Set<string>()
  const aliasAt = (name: string): RecordDraft | undefined => typesAt(name, names)?.get('CNAME')?.[0]
  for (const owners of names.zones.values()) {
    for (const owner of owners) {
      const chain: string[] = []
      let name = owner
      for (let alias = aliasAt(name); alias !== undefined; alias = aliasAt(name)) {
        if (settled.has(name) || chain.includes(name)) break
        chain.push(name)
        name = alias.data.toLowerCase()
      }
      for (const passed of chain) settled.add(passed)
      if (!chain.includes(name)) continue
      const loop = chain.slice(chain.indexOf(name))
      const message = `The CNAMEs go in a circle: ${[...loop, name].map(say).join(' → ')} (RFC 1034 §3.6.2).`
      const fix = 'point one of them at a name that has an address'
      problems.push(problem('dns/cname-loop', aliasAt(name)!.from, message, fix))
    }
  }
  return problems
}

/**
 * A wildcard answers only for names that do not exist (RFC 4592 §2.2.1): one that exists with another type,
 * or only because something stands below it, gets no address from it.
 */
function checkWildcards(owners: readonly string[], apex: string, names: Names): Problem[] {
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
  const because = name === below ? `has ${[...types.keys()].join(', ')}` : `has "${say(below)}" below it`
  const message = `"${say(wildcard)}" gives "${say(name)}" no address: that name exists, because it ${because} (RFC 4592 §2.2.1).`
  const fix = `"${nameBelow(name, apex)}": { "A": "203.0.113.10" }, or a host of that name`
  return warning('dns/wildcard-does-not-reach', firstOf(types).from, message, fix)
}

function hasAddress(name: string, names: Names): boolean {
  const types = names.owners.get(name)
  return types !== undefined && (types.has('A') || types.has('AAAA') || types.has('CNAME'))
}

function isPlainHost(name: string): boolean {
  return labelsOf(name).every(isHostLabel)
}

function firstOf(types: Types): RecordDraft {
  return types.values().next().value![0]!
}

/** As people write names: without the final dot. */
function say(name: string): string {
  return name === '.' ? '.' : name.replace(/\.$/, '')
}

function problem(code: string, at: Position, message: string, fix: string): Problem {
  return { level: 'error', code, at, message, fix }
}

function warning(code: string, at: Position, message: string, fix: string): Problem {
  return { ...problem(code, at, message, fix), level: 'warning' }
}
