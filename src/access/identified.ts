import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import { listMembers } from '#http/wire/list.ts'

/**
 * The fields of a request with what we found out of who asks.
 *
 * @param names lower case; what the client itself sends under them is left out, also with "_" for "-", which CGI and
 *   WSGI do not tell apart. Connection may not name them: a gateway would take them out (RFC 9110 §7.6.1).
 */
export function identify(
  fields: Fields,
  names: ReadonlySet<string>,
  found: readonly (readonly [string, string])[],
): Fields {
  const pairs: (readonly [string, string])[] = []
  fields.each((name, value) => {
    const lower = name.toLowerCase()
    if (names.has(lower.replaceAll('_', '-'))) return
    if (lower !== 'connection') pairs.push([name, value])
    else {
      const kept = listMembers([value]).filter((member) => !names.has(member.toLowerCase()))
      if (kept.length > 0) pairs.push([name, kept.join(', ')])
    }
  })
  return fieldsOf([...pairs, ...found])
}
