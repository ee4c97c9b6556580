/** An object of JSON whose members are not known yet. */
export type Members = Readonly<Record<string, unknown>>

/** Whether a value is an object, and no list. */
export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A member that is text, or undefined. */
export function textOf(members: Members, name: string): string | undefined {
  const value = members[name]
  return typeof value === 'string' ? value : undefined
}

/** The texts of a list; what is none is left out. */
export function textsOf(members: Members, name: string): string[] {
  return listOf(members, name).filter((value) => typeof value === 'string')
}

/** A list, empty where there is none. */
export function listOf(members: Members, name: string): readonly unknown[] {
  const value = members[name]
  return Array.isArray(value) ? value : []
}

/** A point in time (RFC 3339 §5.6) in milliseconds since 1970, or undefined. */
export function timeOf(members: Members, name: string): number | undefined {
  const time = Date.parse(textOf(members, name) ?? '')
  return Number.isNaN(time) ? undefined : time
}
