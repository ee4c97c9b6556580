import type { Fields } from '#http/wire/fields.ts'
import { type Directives, parseCacheControl } from './wire/cache-control.ts'
import { type Member, readDictionary } from './wire/structured.ts'

/** What a response says to this cache. */
export type Policy = {
  readonly directives: Directives
  /** said in a field for caches like this one: Cache-Control and Expires are for others */
  readonly isTargeted: boolean
}

/** RFC 9213 §2.2: the list of targets of this cache, the narrowest first; in lower case. */
export const TARGETS: readonly string[] = ['portico-cache-control', 'cdn-cache-control']

/**
 * The directives that hold for this cache (RFC 9213 §2.2): those of the first targeted field that can be read, else of
 * Cache-Control.
 *
 * A targeted field that is empty or does not parse as a dictionary counts as not there.
 */
export function policyOf(response: Fields): Policy {
  for (const target of TARGETS) {
    if (response.get(target) === undefined) continue
    const members = readDictionary(response.all(target))
    if (members !== undefined) return { directives: directivesOf(members), isTargeted: true }
  }
  return { directives: parseCacheControl(response.all('cache-control')), isTargeted: false }
}

/** RFC 9213 §2.1: integers and booleans of structured fields in the place of Cache-Control's arguments. */
function directivesOf(members: ReadonlyMap<string, Member>): Directives {
  const directives = new Map<string, string | null>()
  for (const [name, member] of members) {
    if (member.kind === 'boolean') {
      if (member.value) directives.set(name, null)
    } else if (member.kind === 'integer') {
      directives.set(name, String(member.value))
    } else if (LISTS.has(name)) {
      directives.set(name, member.kind === 'text' ? member.value : null)
    } else {
      // Another type than an integer is not turned into one (RFC 9213 §2.1): it is wrong, and wrong is stale.
      directives.set(name, '')
    }
  }
  return directives
}

const LISTS: ReadonlySet<string> = new Set(['no-cache', 'private'])
