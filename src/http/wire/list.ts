import type { Fields } from './fields.ts'

/**
 * The members of a list-based field, of all its lines (RFC 9110 §5.6.1).
 *
 * Commas inside quoted strings do not part members; empty members are left out; members are trimmed.
 *
 * @example listMembers(['a, "b, c"', ',d']) // ['a', '"b, c"', 'd']
 */
export function listMembers(values: readonly string[]): string[] {
  return values.flatMap(splitList)
}

/** Whether a list-based field of tokens names `token` (lower case), without case: `hasToken(fields, 'connection', 'close')`. */
export function hasToken(fields: Fields, name: string, token: string): boolean {
  const value = fields.get(name)
  // Most requests have no such field, or a single one that is the token: no list is built for them.
  if (value === undefined) return false
  if (value === token) return true
  return fields.all(name).some((line) => {
    if (!line.includes(',')) return line.toLowerCase() === token
    return splitList(line).some((member) => member.toLowerCase() === token)
  })
}

function splitList(value: string): string[] {
  if (!value.includes('"')) return value.split(',').map(trim).filter(isNotEmpty)
  const members: string[] = []
  let start = 0
  let isQuoted = false
  for (let i = 0; i <= value.length; i++) {
    const c = value[i]
    if (isQuoted && c === '\\') i++
    else if (c === '"') isQuoted = !isQuoted
    else if (c === undefined || (c === ',' && !isQuoted)) {
      members.push(trim(value.slice(start, i)))
      start = i + 1
    }
  }
  // A quoted string that never ends takes the rest as one member.
  if (start < value.length) members.push(trim(value.slice(start)))
  return members.filter(isNotEmpty)
}

function trim(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '')
}

function isNotEmpty(text: string): boolean {
  return text !== ''
}
