import type { FamilyName } from '#metrics/families.ts'
import type { Sample } from '#metrics/sample.ts'
import type { FrontDns } from './front.ts'

/** What the main thread knows of zones: how they moved, how they are signed, what was found for pools and ALIAS. */
export function zoneSamples({ counts, secondaries, dnssec, known }: FrontDns): Sample[] {
  const copies = secondaries()
  const expired = copies.filter(({ isExpired }) => isExpired).length
  const { health, aliases } = known().overlay
  const phases = Object.values(dnssec.saved()).map(({ phase }) => phase)
  return [
    ...list('portico_dns_transfers', counts.in, 'in'),
    ...list('portico_dns_transfers', counts.out, 'out'),
    ...list('portico_dns_updates', counts.updates),
    one('portico_dns_copied_zones', copies.length - expired, 'current'),
    one('portico_dns_copied_zones', expired, 'expired'),
    ...Object.entries(health).map(([key, { isUp }]) => {
      const [pool = '', member = ''] = key.replace(/^pool:/, '').split(' ')
      return one('portico_dns_pool_member_up', isUp ? 1 : 0, pool, member)
    }),
    ...tally(
      'portico_dns_aliases',
      Object.values(aliases).map(({ isStale }) => (isStale ? 'stale' : 'fresh')),
    ),
    ...tally('portico_dnssec_zones', phases),
  ]
}

function one(family: FamilyName, value: number, ...labels: string[]): Sample {
  return { family, labels, value }
}

function list(family: FamilyName, counts: ReadonlyMap<string, number>, ...labels: string[]): Sample[] {
  return Array.from(counts, ([what, value]) => one(family, value, ...labels, what))
}

function tally(family: FamilyName, states: readonly string[]): Sample[] {
  return [...new Set(states)].map((state) =>
    one(family, states.filter((other) => other === state).length, state),
  )
}
