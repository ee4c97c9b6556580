import { isToken } from '#http/wire/characters.ts'
import { listMembers } from '#http/wire/list.ts'

/** Cache directives by lower-case name; null for one without an argument. */
export type Directives = ReadonlyMap<string, string | null>

/** RFC 9111 §1.2.2: what a cache that counts in 31 bits takes for the largest number. */
const LIMIT_SECONDS = 2 ** 31

const NONE: Directives = new Map()

/**
 * Read Cache-Control, of a request or a response (RFC 9111 §5.2).
 *
 * Arguments may be tokens or quoted strings; what is malformed is left out. Of a directive that stands several times
 * the first counts (RFC 9111 §4.2.1), but the lists of fields of `no-cache` and `private` add up, and without a list
 * they hold for the whole response.
 *
 * @param values of all field lines
 * @example parseCacheControl(['max-age=60, private="a"']) // Map { 'max-age' → '60', 'private' → 'a' }
 */
export function parseCacheControl(values: readonly string[]): Directives {
  if (values.length === 0) return NONE
  const directives = new Map<string, string | null>()
  for (const member of listMembers(values)) {
    const equals = member.indexOf('=')
    const name = (equals < 0 ? member : member.slice(0, equals)).toLowerCase()
    if (!isToken(name)) continue
    const argument = equals < 0 ? null : readArgument(member.slice(equals + 1))
    const before = directives.get(name)
    if (before === undefined) directives.set(name, argument)
    else if (name === 'no-cache' || name === 'private') {
      directives.set(name, before === null || argument === null ? null : `${before},${argument}`)
    }
  }
  return directives
}

/**
 * The seconds that a directive says (RFC 9111 §1.2.2).
 *
 * @returns undefined when it does not stand there; 0 when it says no number, because what is wrong about freshness
 *   makes a response stale (RFC 9111 §4.2.1)
 */
export function deltaSeconds(directives: Directives, name: string): number | undefined {
  const argument = directives.get(name)
  if (argument === undefined) return undefined
  return argument !== null && /^\d+$/.test(argument) ? Math.min(Number(argument), LIMIT_SECONDS) : 0
}

/** The field names, in lower case, that the argument of `no-cache` or `private` lists. */
export function listedFields(argument: string): string[] {
  return listMembers([argument]).map((name) => name.toLowerCase())
}

function readArgument(text: string): string {
  if (!text.startsWith('"')) return text
  const closing = /^"((?:[^"\\]|\\.)*)"$/.exec(text)
  return closing === null ? '' : closing[1]!.replace(/\\(.)/g, '$1')
}
