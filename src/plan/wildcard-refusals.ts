import { getPublicSuffix } from 'tldts-icann'
import { type Caa, readCaa, readIssuer } from '#dns/check/caa.ts'
import { cutAbove, type Names, parentOf, zoneOf } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import type { Authority } from './authorities.ts'

/**
 * What the records of the file say of wildcards: refused where no authority may issue one (RFC 8659 §4.3), where its
 * proof is kept by others (RFC 8555 §8.4), and for all domains of a registry.
 *
 * @returns whether those below a name, without final dot, are refused
 */
export function wildcardRefusals(
  authorities: readonly Authority[],
  names: Names,
): (parent: string) => boolean {
  return (parent) => {
    if (getPublicSuffix(parent) === parent) return true
    if (leadsAway(`_acme-challenge.${parent}.`, names) !== undefined) return true
    const issuers = issuersFor(`*.${parent}.`, names).map(({ caa }) => readIssuer(caa.value)?.issuer ?? '')
    if (issuers.length === 0) return false
    // Of a private authority nobody knows its name in CAA, but none is called "".
    return authorities.every(({ caa }) => {
      return !issuers.some((issuer) => (caa === null ? issuer !== '' : caa.includes(issuer)))
    })
  }
}

/** The CAA records that say who may issue for a name; `*.` asks for those of wildcards (RFC 8659 §4.3). */
export function issuersFor(name: string, names: Names): { readonly draft: RecordDraft; readonly caa: Caa }[] {
  const isWildcard = name.startsWith('*.')
  const set = relevantCaa(isWildcard ? name.slice(2) : name, names)
  const wild = set.filter(({ caa }) => caa.tag === 'issuewild')
  return isWildcard && wild.length > 0 ? wild : set.filter(({ caa }) => caa.tag === 'issue')
}

/** The CAA records closest above a name, as authorities look for them (RFC 8659 §3). */
function relevantCaa(name: string, names: Names): { readonly draft: RecordDraft; readonly caa: Caa }[] {
  for (let at = name; at !== '' && zoneOf(at, names.zones) !== undefined; at = parentOf(at)) {
    const set = names.owners.get(at)?.get('CAA')
    if (set === undefined) continue
    return set.flatMap((draft) => {
      const caa = readCaa(draft)
      return caa === undefined ? [] : [{ draft, caa }]
    })
  }
  return []
}

/** The alias or delegation that takes a name to servers other than these. */
export function leadsAway(name: string, names: Names): RecordDraft | undefined {
  const passed = new Set<string>()
  for (let at = name; !passed.has(at); ) {
    passed.add(at)
    const apex = zoneOf(at, names.zones)
    if (apex === undefined) return undefined
    const cut = cutAbove(at, apex, names)
    if (cut !== undefined) return names.owners.get(cut)!.get('NS')?.[0]
    const alias = names.owners.get(at)?.get('CNAME')?.[0]
    if (alias === undefined) return undefined
    at = alias.data.toLowerCase()
    if (zoneOf(at, names.zones) === undefined) return alias
  }
  return undefined
}
