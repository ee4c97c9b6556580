import type { RecordDraft } from './read-records.ts'

/** Records of one owner, by type. */
export type Types = ReadonlyMap<string, readonly RecordDraft[]>

/** Records of all zones together, so that a rule can follow a name from one zone into another. */
export type Names = {
  /** owner → type → records */
  readonly owners: ReadonlyMap<string, Types>
  /** owners and, as empty non-terminals, all names between them and their apex (RFC 4592 §2.2.2) */
  readonly existing: ReadonlySet<string>
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
  const existing = new Set<string>()
  for (const owner of owners.keys()) {
    const apex = zoneOf(owner, zones)
    if (apex === undefined) continue
    zones.get(apex)!.push(owner)
    for (let name = owner; !existing.has(name); name = parentOf(name)) {
      existing.add(name)
      if (name === apex) break
    }
  }
  return { owners, existing, zones }
}

/** The records a query for the name would meet: its own, or those of the wildcard that covers it (RFC 4592 §3.3). */
export function typesAt(name: string, names: Names): Types | undefined {
  if (names.existing.has(name)) return names.owners.get(name)
  const apex = zoneOf(name, names.zones)
  if (apex === undefined || name === apex) return undefined
  let encloser = parentOf(name)
  while (encloser !== apex && !names.existing.has(encloser)) encloser = parentOf(encloser)
  return names.owners.get(`*.${encloser}`)
}

/** The closest of our zones that a name stands in. */
export function zoneOf(name: string, zones: ReadonlyMap<string, unknown>): string | undefined {
  for (let at = name; at !== ''; at = parentOf(at)) if (zones.has(at)) return at
  return undefined
}

/** The cut nearest to the apex at or above a name: an NS below the apex, or a DNAME above the name (RFC 6672 §2.4). */
export function cutAbove(owner: string, apex: string, names: Names): string | undefined {
  let found: string | undefined
  for (let name = owner; ; name = parentOf(name)) {
    const types = names.owners.get(name)
    if (name !== apex && types?.has('NS') === true) found = name
    if (name !== owner && types?.has('DNAME') === true) found = name
    if (name === apex) return found
  }
}

/** The name without its first label; empty above a top-level domain. */
export function parentOf(name: string): string {
  return name.slice(/^(?:\\.|[^\\.])*\./.exec(name)?.[0].length ?? name.length)
}

/** Labels of a name, the root's left out. */
export function labelsOf(name: string): string[] {
  return name.match(/(?:\\.|[^\\.])+/g) ?? []
}
