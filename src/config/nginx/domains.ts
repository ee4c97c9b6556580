/** A domain and the names in it, with why it was taken for one when that is a guess. */
export type Domain = { readonly name: string; readonly guess: string | null }

/**
 * Find the domains that names belong to: the part that was registered.
 *
 * Without the list of public suffixes that is a guess: the last two labels; three below suffixes such as co.uk;
 * or a longer name that stands among the names and is above all others of the same two labels.
 *
 * @param names `www.example.com` or `*.example.com`, lower case
 * @returns for each name its domain
 * @example groupByDomain(['www.example.com', 'example.com']).get('www.example.com')?.name // 'example.com'
 */
export function groupByDomain(names: readonly string[]): Map<string, Domain> {
  const groups = Map.groupBy(names, registrable)
  const result = new Map<string, Domain>()
  for (const [guessed, members] of groups) {
    const domain = chooseDomain(guessed, members)
    for (const name of members) result.set(name, domain)
  }
  return result
}

function chooseDomain(guessed: string, members: readonly string[]): Domain {
  const above = members.find((name) => members.length > 1 && members.every((other) => isWithin(other, name)))
  if (above !== undefined && above !== guessed) {
    return {
      name: above,
      guess: `${above} is taken as the domain, because it is above all the names in ${guessed}.`,
    }
  }
  if (guessed.split('.').length > 2) {
    return {
      name: guessed,
      guess: `${guessed} is taken as the domain, because names are registered below ${parent(guessed)}.`,
    }
  }
  if (members.includes(guessed) || members.includes(`www.${guessed}`) || members.length > 1)
    return { name: guessed, guess: null }
  return { name: guessed, guess: `${guessed} is taken as the domain of ${members[0]}.` }
}

/** Second-level labels under which two-letter domains sell names. */
const SECOND_LEVEL = /^(ac|co|com|edu|gob|gov|ltd|me|ne|net|or|org|plc|sch)\.[a-z]{2}$/

function registrable(name: string): string {
  const labels = name.replace(/^\*\./, '').split('.')
  const two = labels.slice(-2).join('.')
  return SECOND_LEVEL.test(two) && labels.length > 2 ? labels.slice(-3).join('.') : two
}

function parent(name: string): string {
  return name.slice(name.indexOf('.') + 1)
}

function isWithin(name: string, domain: string): boolean {
  return name === domain || name.endsWith(`.${domain}`)
}

/** The key of a name under its domain: `@` for the domain itself. */
export function hostKey(name: string, domain: string): string {
  return name === domain ? '@' : name.slice(0, -domain.length - 1)
}
