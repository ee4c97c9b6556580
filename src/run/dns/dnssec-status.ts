import { ALGORITHM, dsData } from '#dns/dnssec/key.ts'
import type { SavedZones } from '#dns/dnssec/keyed-zones.ts'
import { type ParentDs, type SavedZone, wishOf } from '#dns/dnssec/roll.ts'
import { tagOf } from '#dns/dnssec/zone-keys.ts'
import type { ZonePlan } from '#dns/plan.ts'
import { wireName } from '#dns/rrset.ts'

/** What `portico dnssec status` shows of a domain; plain JSON, no secrets. */
export type DnssecStatus = {
  readonly domain: string
  /** null: not signed */
  readonly phase: SavedZone['phase'] | null
  readonly keys: readonly {
    readonly tag: number
    readonly algorithm: number
    /** ISO 8601 */
    readonly createdAt: string
    readonly signs: 'everything' | 'keys'
  }[]
  /** DS records that the parent shall have, in presentation form; null: none yet, or as they are */
  readonly wanted: readonly string[] | null
  /** key tags of the DS that the parent has; null: not known */
  readonly parent: readonly number[] | null
  /** ISO 8601; null: nothing happens by itself */
  readonly until: string | null
  /** what happens next, in a sentence */
  readonly says: string
}

/** Say where each domain stands. */
export function dnssecStatus(
  zones: readonly ZonePlan[],
  saved: SavedZones,
  parentOf: (zoneId: string) => ParentDs = () => null,
): DnssecStatus[] {
  return zones.map((zone) => {
    const domain = zone.apex.slice(0, -1)
    const known = saved[zone.id]
    if (known === undefined) {
      const says =
        zone.dnssec === undefined
          ? 'not signed; "dnssec": true in the domain signs it'
          : 'signed as soon as Portico serves the file'
      return { domain, phase: null, keys: [], wanted: null, parent: null, until: null, says }
    }
    const keys = known.keys.map((key) => ({
      tag: tagOf(key),
      algorithm: ALGORITHM,
      createdAt: isoOf(key.createdAt),
      signs: key.signsData ? ('everything' as const) : ('keys' as const),
    }))
    const apex = wireName(zone.apex)
    const wanted = wishOf(known)?.map(({ publicKey }) => dsData(apex, publicKey)) ?? null
    const parent = parentOf(zone.id)?.tags ?? null
    const until = known.until === null ? null : isoOf(known.until)
    return { domain, phase: known.phase, keys, wanted, parent, until, says: sentence(known, parent) }
  })
}

function sentence({ phase, keys, until }: SavedZone, parent: readonly number[] | null): string {
  const at = until === null ? '' : isoOf(until).slice(0, 16).replace('T', ' ')
  const tags = keys.map(tagOf)
  switch (phase) {
    case 'beginning':
      return `signed; give the DS to the registrar after ${at}Z, when no cache has anything unsigned`
    case 'signed':
      if (parent === null) return 'signed; what the parent has is not known'
      if (parent.includes(tags[0]!)) return 'signed, and the parent has the DS'
      return parent.length === 0
        ? 'signed, but nobody validates until the registrar has the DS'
        : `bogus: the parent has a DS for key ${parent.join(', ')}, and the key is ${tags[0]}`
    case 'publishing':
      return `the new key ${tags[1]} is made known; it signs after ${at}Z`
    case 'submitting':
      return `the new key ${tags[1]} signs; the registrar shall replace the DS of ${tags[0]} by that of ${tags[1]}`
    case 'retiring':
      return `the parent has the new DS; the old key ${tags[0]} goes after ${at}Z`
    case 'leaving':
      return 'the registrar shall remove the DS; the domain stays signed until then'
    case 'left':
      return `the parent has no DS any longer; signatures end after ${at}Z`
  }
}

function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}
