import { Resolver } from 'node:dns/promises'

const OPTIONS = { timeout: 2000, tries: 1 }
const MOST_SHOWN = 5

/**
 * What the resolver of this machine finds where a proof stood: a person who sees another name server or an old record
 * there knows what to do.
 *
 * @param owner of the proof, absolute
 * @param zone that it stands in, without final dot
 * @returns a sentence, or nothing where nobody answers
 */
export async function seenFromHere(owner: string, zone: string): Promise<string> {
  const resolver = new Resolver(OPTIONS)
  const [texts, servers] = await Promise.all([
    resolver.resolveTxt(owner.slice(0, -1)).catch(() => []),
    resolver.resolveNs(zone).catch(() => []),
  ])
  const records = texts.map((parts) => `"${parts.join('')}"`).slice(0, MOST_SHOWN)
  const parts = [
    records.length === 0 ? '' : `${owner} has TXT ${records.join(', ')}`,
    servers.length === 0 ? '' : `${zone} is answered by ${servers.slice(0, MOST_SHOWN).join(', ')}`,
  ].filter((part) => part !== '')
  return parts.length === 0 ? '' : `Seen from here, ${parts.join(', and ')}.`
}
