import type { Position, Problem } from '#core/problem.ts'
import type { RecordDraft } from './records.ts'
import { isHostLabel } from './written-name.ts'

/** Records of all zones together, so that a rule can follow a name from one zone into another. */
export type Names = {
  /** owner → type → records */
  readonly owners: ReadonlyMap<string, ReadonlyMap<string, readonly RecordDraft[]>>
  /** apex of each of our zones → the owners that the zone holds */
  readonly zones: ReadonlyMap<string, readonly string[]>
}

/** Index drafts of all zones by owner and type. */
export function indexNames(apexes: Iterable<string>, drafts: Iterable<RecordDraft>): Names {
  const owners = new Map<string, Map<string, RecordDraft[]>>()
  for (const draft of drafts) {
    let types = owners.get(draft.owner)
    if (types === undefined) owners.set(draft.owner, (types = new Map()))
    const set = types.get(draft.type)
    if (set === undefined) types.set(draft.type, [draft])
    else set.push(draft)
  }
  const zones = new Map<string, string[]>([...apexes].map((apex) => [apex, []]))
  for (const owner of owners.keys()) zones.get(zoneOf(owner, zones) ?? '')?.push(owner)
  return { owners, zones }
}

/** Everything that DNS forbids, or that does not do what it seems to, in the records of one zone. */
export function checkZone(apex: string, names: Names): Problem[] {
  const problems: Problem[] = []
  const owners = names.zones.get(apex) ?? []
  for (const owner of owners) {
    const types = names.owners.get(owner)!
    problems.push(...checkOwnerName(owner, apex, types))
    problems.push(...checkAlias(owner, apex, types))
    for (const set of types.values()) problems.push(...checkSet(set))
    problems.push(...checkTargets(types, names))
    problems.push(...checkPolicyTexts(owner, types))
    problems.push(...checkPlace(owner, apex, types, names))
  }
  problems.push(...checkLoops(owners, names), ...checkWildcards(owners, apex, names))
  return problems
}

/** RFC 1123 §2.1 for names with addresses; the wildcard's place (RFC 4592 §2.1.1). */
function checkOwnerName(
  owner: string,
  apex: string,
  types: ReadonlyMap<string, readonly RecordDraft[]>,
): Problem[] {
  const labels = labelsOf(owner)
  const first = firstOf(types)
  if (labels.slice(1).includes('*')) {
    const message = `"${say(owner)}" has a "*" that is not the leftmost label: it matches nothing but itself (RFC 4592 §2.1.1).`
    return [problem('dns/wildcard-not-leftmost', first.from, message, `"*.${say(owner).split('*.').pop()}"`)]
  }
  const address = types.get('A')?.[0] ?? types.get('AAAA')?.[0]
  if (address === undefined) return []
  // The apex was checked when the domain was read: only what stands left of it is new.
  const below = owner === apex ? [] : labelsOf(owner.slice(0, -apex.length))
  const odd = below.find((label, index) => !(index === 0 && label === '*') && !isHostLabel(label))
  if (odd === undefined) return []
  if (isHostLabel(odd.replaceAll('_', 'a'))) {
    const message = `"${say(owner)}" has an address, but hosts have no "_" in their names (RFC 1123 §2.1); browsers and certificate authorities refuse it (RFC 8552 keeps "_" for other records).`
    return [warning('dns/underscore-on-address', address.from, message, `"${odd.replaceAll('_', '-')}"`)]
  }
  const message = `"${odd}" in "${say(owner)}" is no host name: letters, digits and "-" inside (RFC 1123 §2.1).`
  return [problem('dns/host-name-characters', address.from, message, 'rename the host')]
}

/** RFC 1034 §3.6.2, RFC 2181 §10.1. */
function checkAlias(
  owner: string,
  apex: string,
  types: ReadonlyMap<string, readonly RecordDraft[]>,
): Problem[] {
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

function checkTargets(types: ReadonlyMap<string, readonly RecordDraft[]>, names: Names): Problem[] {
  return Object.entries(TARGET_WORD).flatMap(([type, { word, section }]) => {
    return (types.get(type) ?? []).flatMap((draft) => {
      const target = draft.data.split(' ')[word]!.toLowerCase()
      const alias = typesAt(target, names)?.get('CNAME')?.[0]
      if (alias === undefined) return []
      const message = `${type} of "${say(draft.owner)}" names ${say(target)}, which is an alias of ${say(alias.data)}; the target must have an address itself (${section}).`
      const data = draft.data.split(' ').with(word, say(alias.data)).join(' ')
      return [
        problem(
          `dns/${type.toLowerCase()}-target-is-alias`,
          draft.from,
          message,
          `"${type}": ${JSON.stringify(data)}`,
        ),
      ]
    })
  })
}

/** RFC 7208 §4.5: several policies are as good as none. */
function checkPolicyTexts(owner: string, types: ReadonlyMap<string, readonly RecordDraft[]>): Problem[] {
  const policies = (types.get('TXT') ?? []).filter(({ data }) => /^"v=spf1( |")/i.test(data))
  if (policies.length < 2) return []
  const message = `"${say(owner)}" has ${policies.length} SPF records; receivers then ignore all of them (RFC 7208 §4.5).`
  return [
    problem('dns/several-spf', policies[1]!.from, message, 'join their mechanisms in one "v=spf1 … -all"'),
  ]
}

/** What stands below a delegation is not ours to answer (RFC 1034 §4.2.1), nor what another zone of ours holds. */
function checkPlace(
  owner: string,
  apex: string,
  types: ReadonlyMap<string, readonly RecordDraft[]>,
  names: Names,
): Problem[] {
  const cut = delegationAbove(owner, apex, names)
  if (cut === undefined) return []
  const servers = names.owners.get(cut)!.get('NS')!
  const glue = new Set(servers.map(({ data }) => data.toLowerCase()))
  const allowed = owner === cut ? ['NS', 'DS'] : glue.has(owner) ? ['A', 'AAAA'] : []
  const stray = [...types].find(([type]) => !allowed.includes(type))
  if (stray === undefined) return []
  const message = `${stray[0]} of "${say(owner)}" stands at or below "${say(cut)}", which is delegated to ${say(servers[0]!.data)}: it is never answered from here (RFC 1034 §4.2.1).`
  return [
    problem(
      'dns/below-delegation',
      stray[1][0]!.from,
      message,
      `move it to the servers of ${say(cut)}, or remove its NS`,
    ),
  ]
}

function delegationAbove(owner: string, apex: string, names: Names): string | undefined {
  let found: string | undefined
  for (let name = owner; name !== apex; name = parentOf(name)) {
    if (names.owners.get(name)?.has('NS') === true) found = name
  }
  return found
}

/** A chain of aliases that comes back to itself has no end (RFC 1034 §3.6.2). */
function checkLoops(owners: readonly string[], names: Names): Problem[] {
  const problems: Problem[] = []
  const settled = new Set<string>()
  for (const owner of owners) {
    const chain: string[] = []
    let name = owner
    let alias = names.owners.get(name)?.get('CNAME')?.[0]
    while (alias !== undefined && !settled.has(name) && !chain.includes(name)) {
      chain.push(name)
      name = alias.data.toLowerCase()
      alias = typesAt(name, names)?.get('CNAME')?.[0]
    }
    const loop = chain.includes(name) ? chain.slice(chain.indexOf(name)) : []
    for (const passed of chain) settled.add(passed)
    const first = names.owners.get(loop[0] ?? '')?.get('CNAME')?.[0]
    if (first === undefined) continue
    const message = `The CNAMEs go in a circle: ${[...loop, name].map(say).join(' → ')} (RFC 1034 §3.6.2).`
    problems.push(
      problem('dns/cname-loop', first.from, message, `point one of them at a name that has an address`),
    )
  }
  return problems
}

/**
 * A wildcard answers only for names that do not exist (RFC 4592 §2.2.1): one that exists with another type,
 * or only because something stands below it, gets no address from it.
 */
function checkWildcards(owners: readonly string[], apex: string, names: Names): Problem[] {
  const problems: Problem[] = []
  for (const wildcard of owners) {
    if (!wildcard.startsWith('*.') || !hasAddress(wildcard, names)) continue
    const parent = wildcard.slice(2)
    const told = new Set<string>()
    for (const other of owners) {
      if (other === wildcard || !other.endsWith(`.${parent}`)) continue
      for (let name = other; name !== parent; name = parentOf(name)) {
        if (
          told.has(name) ||
          hasAddress(name, names) ||
          !isPlainHost(name) ||
          delegationAbove(name, apex, names)
        )
          continue
        told.add(name)
        problems.push(notReached(wildcard, name, other, names.owners.get(other)!))
      }
    }
  }
  return problems
}

function notReached(
  wildcard: string,
  name: string,
  below: string,
  types: ReadonlyMap<string, readonly RecordDraft[]>,
): Problem {
  const because = name === below ? `has ${[...types.keys()].join(', ')}` : `has "${say(below)}" below it`
  const message = `"${say(wildcard)}" gives "${say(name)}" no address: that name exists, because it ${because} (RFC 4592 §2.2.1).`
  return warning(
    'dns/wildcard-does-not-reach',
    firstOf(types).from,
    message,
    `give "${say(name)}" an address or a host of its own`,
  )
}

function hasAddress(name: string, names: Names): boolean {
  const types = names.owners.get(name)
  return types !== undefined && (types.has('A') || types.has('AAAA') || types.has('CNAME'))
}

function isPlainHost(name: string): boolean {
  return labelsOf(name).every(isHostLabel)
}

/** The records a query for the name would meet: its own, or those of the wildcard that covers it (RFC 4592 §3.3). */
function typesAt(name: string, names: Names): ReadonlyMap<string, readonly RecordDraft[]> | undefined {
  const own = names.owners.get(name)
  if (own !== undefined) return own
  const zone = zoneOf(name, names.zones)
  if (zone === undefined || name === zone) return undefined
  for (let encloser = parentOf(name); ; encloser = parentOf(encloser)) {
    const wildcard = names.owners.get(`*.${encloser}`)
    if (wildcard !== undefined) return wildcard
    if (encloser === zone || names.owners.has(encloser)) return undefined
  }
}

/** The closest of our zones that a name stands in. */
function zoneOf(name: string, zones: ReadonlyMap<string, unknown>): string | undefined {
  for (let at = name; at !== ''; at = parentOf(at)) if (zones.has(at)) return at
  return undefined
}

/** The name without its first label; empty above a top-level domain. */
function parentOf(name: string): string {
  return name.slice(name.search(/(?<!\\)\./) + 1)
}

function labelsOf(name: string): string[] {
  return name.slice(0, -1).split(/(?<!\\)\./)
}

function firstOf(types: ReadonlyMap<string, readonly RecordDraft[]>): RecordDraft {
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
