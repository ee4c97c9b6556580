import type { Fields } from '#http/wire/fields.ts'

/** The value of the first cookie with this name (RFC 6265 §5.4); undefined when the client sends none. */
export function cookieOf(fields: Fields, name: string): string | undefined {
  for (const line of fields.all('cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=')
      if (equals >= 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
    }
  }
  return undefined
}
