import type { RecordDraft } from './read-records.ts'

/** Records of one owner, by type: read like a map, and smaller, because most owners have one record. */
export class Types {
  /** the first that was written stands for the owner in messages about the name alone */
  readonly first: RecordDraft
  #others: RecordDraft[] | undefined

  constructor(first: RecordDraft) {
    this.first = first
  }

  add(draft: RecordDraft): void {
    if (this.#others === undefined) this.#others = [draft]
    else this.#others.push(draft)
  }

  /** Whether there are several records. */
  get isSeveral(): boolean {
    return this.#others !== undefined
  }

  get drafts(): readonly RecordDraft[] {
    return this.#others === undefined ? [this.first] : [this.first, ...this.#others]
  }

  has(type: string): boolean {
    return this.first.type === type || this.#others?.some((draft) => draft.type === type) === true
  }

  get(type: string): readonly RecordDraft[] | undefined {
    if (this.#others === undefined) return this.first.type === type ? [this.first] : undefined
    const set = this.drafts.filter((draft) => draft.type === type)
    return set.length === 0 ? undefined : set
  }

  /** Types in the order in which they were written. */
  keys(): string[] {
    return [...new Set(this.drafts.map(({ type }) => type))]
  }

  sets(): (readonly RecordDraft[])[] {
    return this.keys().map((type) => this.get(type)!)
  }
}

/** Names of one zone. */
export type ZoneNames = {
  readonly owners: readonly string[]
  /** something of it is delegated, or below a DNAME */
  readonly hasCuts: boolean
  readonly hasWildcards: boolean
}

/** Records of all zones together, so that a rule can follow a name from one zone into another. */
export type Names = {
  readonly owners: ReadonlyMap<string, Types>
  /** names between owners and their apex that own nothing (RFC 4592 §2.2.2) */
  readonly nonTerminals: ReadonlySet<string>
  /** by the apex of each of our zones */
  readonly zones: ReadonlyMap<string, ZoneNames>
}

/**
 * Index drafts by owner and type.
 *
 * @param drafted each zone with the drafts that it answers itself
 */
export function indexNames(
  drafted: Iterable<{ readonly apex: string; readonly drafts: Iterable<RecordDraft> }>,
): Names {
  const owners = new Map<string, Types>()
  const zones = new Map<string, ZoneNames>()
  for (const { apex, drafts } of drafted) {
    const own: string[] = []
    let hasCuts = false
    let hasWildcards = false
    for (const draft of drafts) {
      const { owner, type } = draft
      if (type === 'DNAME' || (type === 'NS' && owner !== apex)) hasCuts = true
      const types = owners.get(owner)
      if (types !== undefined) {
        types.add(draft)
        continue
      }
      owners.set(owner, new Types(draft))
      own.push(owner)
      if (owner.startsWith('*.')) hasWildcards = true
    }
    zones.set(apex, { owners: own, hasCuts, hasWildcards })
  }
  return { owners, nonTerminals: findNonTerminals(owners, zones), zones }
}

function findNonTerminals(
  owners: ReadonlyMap<string, Types>,
  zones: ReadonlyMap<string, ZoneNames>,
): Set<string> {
  const found = new Set<string>()
  for (const [apex, { owners: own }] of zones) {
    for (const owner of own) {
      let name = owner
      while (name !== apex) {
        name = parentOf(name)
        if (owners.has(name) || found.has(name)) break
        found.add(name)
      }
    }
  }
  return found
}

/** Whether a name of ours is there, with records or without. */
export function exists(name: string, { owners, nonTerminals }: Names): boolean {
  return owners.has(name) || nonTerminals.has(name)
}

/** The records a query for the name would meet: its own, or those of the wildcard that covers it (RFC 4592 §3.3). */
export function typesAt(name: string, names: Names): Types | undefined {
  if (exists(name, names)) return names.owners.get(name)
  const apex = zoneOf(name, names.zones)
  if (apex === undefined || name === apex) return undefined
  let encloser = parentOf(name)
  while (encloser !== apex && !exists(encloser, names)) encloser = parentOf(encloser)
  return names.owners.get(`*.${encloser}`)
}

/** The closest of our zones that a name stands in. */
export function zoneOf(name: string, zones: ReadonlyMap<string, unknown>): string | undefined {
  for (let at = name; at !== ''; at = parentOf(at)) if (zones.has(at)) return at
  return undefined
}

/** Those of our zones that others of ours begin below. */
export function dividedZones(zones: ReadonlyMap<string, unknown>): Set<string> {
  return new Set([...zones.keys()].flatMap((apex) => zoneOf(parentOf(apex), zones) ?? []))
}

/** The cut nearest to the apex at or above a name: an NS below the apex, or a DNAME above the name (RFC 6672 §2.4). */
export function cutAbove(owner: string, apex: string, names: Names): string | undefined {
  if (names.zones.get(apex)?.hasCuts !== true) return undefined
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
  for (let at = 0; at < name.length; at++) {
    if (name[at] === '\\') at++
    else if (name[at] === '.') return name.slice(at + 1)
  }
  return ''
}

/** Labels of a name, the root's left out. */
export function labelsOf(name: string): string[] {
  return name.match(/(?:\\.|[^\\.])+/g) ?? []
}
