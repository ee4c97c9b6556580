import { type BareItem, parseDictionary, parseList, Token } from 'structured-headers'

/** What a member of a dictionary holds: numbers, texts and tokens as text with their kind, true as such. */
export type Member =
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'other' }

/**
 * Read a dictionary of structured fields (RFC 9651 §3.2); parameters are left out.
 *
 * @param values of all field lines
 * @returns undefined when it does not parse, or is empty
 */
export function readDictionary(values: readonly string[]): ReadonlyMap<string, Member> | undefined {
  try {
    const members = [...parseDictionary(values.join(', '))].map(
      ([name, [item]]) => [name, memberOf(item)] as const,
    )
    return members.length === 0 ? undefined : new Map(members)
  } catch {
    return undefined
  }
}

/** The strings of a list of structured fields (RFC 9651 §3.1); undefined when it does not parse or holds other things. */
export function readStrings(values: readonly string[]): string[] | undefined {
  try {
    const items = parseList(values.join(', ')).map(([item]) => item)
    return items.every((item): item is string => typeof item === 'string') ? items : undefined
  } catch {
    return undefined
  }
}

function memberOf(item: BareItem | readonly unknown[]): Member {
  if (typeof item === 'number') {
    return Number.isInteger(item) ? { kind: 'integer', value: item } : { kind: 'other' }
  }
  if (typeof item === 'boolean') return { kind: 'boolean', value: item }
  if (typeof item === 'string') return { kind: 'text', value: item }
  return item instanceof Token ? { kind: 'text', value: item.toString() } : { kind: 'other' }
}
