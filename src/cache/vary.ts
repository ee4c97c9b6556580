import type { Fields } from '#http/wire/fields.ts'
import { listMembers } from '#http/wire/list.ts'

/** Request fields that a response was chosen by, and what they said; null: the field was not there. */
export type Selecting = readonly (readonly [name: string, value: string | null])[]

/**
 * The names that Vary lists, in lower case, in order and once (RFC 9110 §12.5.5).
 *
 * @param ignored names that the file says do not count
 * @returns `*` when a member says that more than fields decides
 */
export function varyNames(response: Fields, ignored: readonly string[]): readonly string[] | '*' {
  if (response.get('vary') === undefined) return NO_NAMES
  const names = listMembers(response.all('vary')).map((name) => name.toLowerCase())
  if (names.includes('*')) return '*'
  return [...new Set(names)].filter((name) => !ignored.includes(name)).sort()
}

const NO_NAMES: readonly string[] = []

/** What a request says under the names of Vary, normalised: what is stored with the response (RFC 9111 §4.1). */
export function selecting(names: readonly string[], request: Fields): Selecting {
  return names.map((name) => [name, normalise(name, request)] as const)
}

/** Whether a request selects what was stored with these values (RFC 9111 §4.1). */
export function isSelected(stored: Selecting, request: Fields): boolean {
  for (const [name, value] of stored) {
    if (normalise(name, request) !== value) return false
  }
  return true
}

/**
 * The value of a field so that two that mean the same are equal (RFC 9111 §4.1).
 *
 * Lines are joined and white space around members goes. Of languages the case goes too, and the order where no weights
 * are (RFC 9110 §12.5.4). Of codings those stay that are in use, since servers choose among these (§12.5.3).
 */
function normalise(name: string, request: Fields): string | null {
  const first = request.get(name)
  if (first === undefined) return null
  const values = request.all(name)
  switch (name) {
    case 'accept-encoding':
      return normaliseCodings(values)
    case 'accept-language':
      return normaliseLanguages(values)
    default:
      return LISTS.has(name) || values.length > 1 || first.includes(',')
        ? listMembers(values).join(',')
        : first
  }
}

const LISTS: ReadonlySet<string> = new Set(['accept', 'accept-charset'])
const CODINGS = ['br', 'deflate', 'gzip', 'zstd']

function normaliseCodings(values: readonly string[]): string {
  const members = listMembers(values).map((member) => member.toLowerCase().replace(/[ \t]/g, ''))
  // Weights may turn the choice: then only what is written alike is alike.
  if (members.some((member) => member.includes(';'))) return members.join(',')
  return CODINGS.filter((coding) => members.includes(coding) || members.includes('*')).join(',')
}

function normaliseLanguages(values: readonly string[]): string {
  const members = listMembers(values).map((member) => member.toLowerCase().replace(/[ \t]/g, ''))
  return members.sort().join(',')
}
