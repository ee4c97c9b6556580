import type { Fields } from '#http/wire/fields.ts'
import { readStrings } from './wire/structured.ts'

/** Tags of one object, and octets of one tag: more are left out, so that no response fills the index. */
const LIMIT_TAGS = 128
const LIMIT_OCTETS = 1024

/**
 * The names under which a response can be purged: Cache-Tag (commas), Surrogate-Key (spaces), the groups of the same
 * origin (RFC 9875 §2), and those of the file.
 *
 * @param origin scheme and authority, which groups belong to
 */
export function tagsOf(fields: Fields, origin: string, own: readonly string[]): string[] {
  const tags = new Set(own)
  for (const tag of split(fields.all('cache-tag'), /,/)) tags.add(tag)
  for (const tag of split(fields.all('surrogate-key'), /[ \t]+/)) tags.add(tag)
  for (const group of readStrings(fields.all('cache-groups')) ?? []) tags.add(groupTag(origin, group))
  return [...tags].filter((tag) => tag.length <= LIMIT_OCTETS).slice(0, LIMIT_TAGS)
}

/** The tag of a cache group: no tag of a field has a space in it, so nobody can take one for the other. */
export function groupTag(origin: string, group: string): string {
  return `group ${origin} ${group}`
}

function split(lines: readonly string[], separator: RegExp): string[] {
  return lines
    .flatMap((line) => line.split(separator))
    .map((tag) => tag.trim().replace(/[ \t]+/g, '-'))
    .filter((tag) => tag !== '')
}
