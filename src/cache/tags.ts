import type { Fields } from '#http/wire/fields.ts'
import { readStrings } from './wire/structured.ts'

/** Tags of one object, and octets of one tag: more are left out, so that no response fills the index. */
const LIMIT_TAGS = 128
const LIMIT_OCTETS = 1024

/**
 * The names under which a response can be purged: Cache-Tag, Surrogate-Key, the groups of the same
 * origin (RFC 9875 §2), and those of the file.
 *
 * @param origin scheme and authority, which groups belong to
 */
export function tagsOf(fields: Fields, origin: string, own: readonly string[]): string[] {
  const named = namedTags(fields)
  // Elsewhere a tag has no space in it: who writes one may mean a tag, or several as in Surrogate-Key.
  const words = named.flatMap((tag) => (tag.includes(' ') ? tag.split(' ') : []))
  const tags = new Set([...own, ...named, ...words])
  // By its own name for people who purge, and with its origin for responses that do: no origin speaks for another.
  for (const group of readStrings(fields.all('cache-groups')) ?? []) {
    tags.add(group).add(groupTag(origin, group))
  }
  return [...tags].filter((tag) => tag.length <= LIMIT_OCTETS).slice(0, LIMIT_TAGS)
}

/** The tags in Cache-Tag (commas) and Surrogate-Key (spaces), of a response or of PURGE. */
export function namedTags(fields: Fields): string[] {
  return [...split(fields.all('cache-tag'), /,/), ...split(fields.all('surrogate-key'), /[ \t]+/)]
}

/** The tag of a cache group: no tag of a field has a tab in it, so nobody can take one for the other. */
export function groupTag(origin: string, group: string): string {
  return `group\t${origin}\t${group}`
}

function split(lines: readonly string[], separator: RegExp): string[] {
  return lines
    .flatMap((line) => line.split(separator))
    .map((tag) => tag.trim().replace(/[ \t]+/g, ' '))
    .filter((tag) => tag !== '')
}
