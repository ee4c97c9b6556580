import type { AliasAddresses, DnsOverlay } from './overlay-plan.ts'
import type { AliasPlan, RRsetPlan, ZonePlan } from './plan.ts'
import { prepareRRset, type RRset, wireName } from './rrset.ts'
import { TYPE } from './wire/types.ts'
import { assignSigner, findRRset, type Zone, type Zones } from './zone.ts'

/** RFC 8767 §4: what could not be found again is worth asking for again soon, in seconds. */
const STALE_TTL = 30

/** Find the addresses for names with an ALIAS, of which some may lead into these zones. */
export type FindAliases = (zones: readonly ZonePlan[]) => Promise<DnsOverlay['aliases']>

/** Give the names with an ALIAS the addresses that their targets have now, in one tick. */
export function applyAliases(zones: Zones, aliases: DnsOverlay['aliases']): void {
  for (const zone of zones.list) {
    for (const alias of zone.plan.aliases ?? []) applyAlias(zone, alias, aliases[alias.owner])
  }
}

/** What secondaries get of a zone: names with an ALIAS have the addresses that are known, for as long as it says. */
export function layAliases(zone: ZonePlan, found: DnsOverlay['aliases']): ZonePlan {
  const sets = (zone.aliases ?? []).flatMap((alias) => addressSets(alias, found[alias.owner], alias.ttl))
  return sets.length === 0 ? zone : { ...zone, rrsets: [...zone.rrsets, ...sets] }
}

type AddressSet = RRsetPlan & { readonly type: 'A' | 'AAAA' }

function addressSets(
  { owner, from }: AliasPlan,
  found: AliasAddresses | undefined,
  ttl: number,
): AddressSet[] {
  const set = (type: 'A' | 'AAAA', data: readonly string[]): AddressSet => {
    return { owner, type, ttl, data, from, why: 'addresses of an ALIAS' }
  }
  return [set('A', found?.ipv4 ?? []), set('AAAA', found?.ipv6 ?? [])].filter(({ data }) => data.length > 0)
}

function applyAlias(zone: Zone, alias: AliasPlan, found: AliasAddresses | undefined): void {
  const owner = wireName(alias.owner)
  const node = zone.names.find(owner, 0, owner.length)!
  node.isUnresolved = found === undefined
  const others = node.rrsets.filter(({ type }) => type !== TYPE.A && type !== TYPE.AAAA)
  const ttl = found?.isStale === true ? STALE_TTL : Math.min(alias.ttl, found?.ttl ?? 0)
  const prepared = addressSets(alias, found, ttl).map((plan): RRset => {
    const made = prepareRRset({ plan, type: TYPE[plan.type], owner, apex: zone.apex })
    const known = findRRset(node, made.type)
    // The same ones keep their signature.
    return known !== undefined && Buffer.compare(known.wire, made.wire) === 0 ? known : made
  })
  const next = [...others, ...prepared]
  if (next.length === node.rrsets.length && next.every((rrset, i) => rrset === node.rrsets[i])) return
  // Another array: a proof that a type is not there holds for the array it was made of.
  node.rrsets = next
  if (zone.signer !== undefined) assignSigner(node, zone.signer)
}
