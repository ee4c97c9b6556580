import { opaqueTag } from '#http/wire/conditional.ts'
import { type Fields, NameSet, serializeFields } from '#http/wire/fields.ts'
import { fieldsOfLines, type Stored } from './stored.ts'

/**
 * Whether a 304 speaks of this stored response (RFC 9111 §4.3.4): a strong validator that it says is the stored one; a
 * weak one matches weakly; without any, it is meant for the one that was asked about.
 */
export function isAbout(stored: Stored, notModified: Fields): boolean {
  const etag = notModified.get('etag')
  if (etag === undefined || stored.validators.etag === undefined) return true
  return opaqueTag(etag) === opaqueTag(stored.validators.etag)
}

/**
 * The fields of a stored response after a 304, or after HEAD (RFC 9111 §3.2): each field that came replaces all lines of
 * its name; others stay.
 */
export function updatedFields(stored: Stored, came: Fields): Fields {
  // The stored Date, left as it is, would make what has just been validated look old.
  const names = ['date']
  came.each((name) => names.push(name))
  const replaced = new NameSet(names.filter((name) => !DEPENDED_ON.has(name, 0, name.length)))
  return fieldsOfLines(serializeFields(stored.fields, replaced) + serializeFields(came, DEPENDED_ON))
}

/** RFC 9111 §3.2: the length, and what the stored octets depend on; their version is what was asked about. */
const DEPENDED_ON = new NameSet(
  'content-digest content-encoding content-length content-md5 content-range etag'.split(' '),
)
