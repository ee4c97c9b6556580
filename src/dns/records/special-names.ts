/**
 * Names that are not in the public DNS, each with the text that says so.
 *
 * The documentation's names (RFC 6761 §6.5) are left out: examples are to be checked as what they stand for.
 */
const PRIVATE: Readonly<Record<string, string>> = {
  localhost: 'RFC 6761 §6.3',
  test: 'RFC 6761 §6.2',
  invalid: 'RFC 6761 §6.4',
  local: 'RFC 6762 §3',
  onion: 'RFC 7686 §2',
  alt: 'RFC 9476 §2',
  'home.arpa': 'RFC 8375 §4',
  internal: 'reserved by ICANN in 2024',
}

/**
 * Say why a name is none of the public DNS.
 *
 * @param name absolute
 * @returns the special name that it is or stands below, and the source; undefined for public names
 */
export function specialName(name: string): { readonly special: string; readonly source: string } | undefined {
  const found = Object.entries(PRIVATE).find(([special]) => `.${name}`.endsWith(`.${special}.`))
  return found === undefined ? undefined : { special: found[0], source: found[1] }
}

/** Whether a name is answered in one's own network only; the reverse tree holds names of both kinds. */
export function isPrivateName(name: string): boolean {
  return specialName(name) !== undefined || name.endsWith('.arpa.')
}
