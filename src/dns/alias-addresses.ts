import type { AliasAddresses, DnsOverlay } from './overlay-plan.ts'
import type { AliasPlan, RRsetPlan } from './plan.ts'
import { prepareRRset, type RRset, wireName } from './rrset.ts'
import { TYPE } from './wire/types.ts'
import { assignSigner, findRRset, type Zone, type Zones } from './zone.ts'

/** RFC 8767 §4: what could not be found again is worth asking for again soon, in seconds. */
const STALE_TTL = 30

/** Give the names with an ALIAS the addresses that their targets have now, in one tick. */
export function applyAliases(zones: Zones, aliases: DnsOverlay['aliases']): void {
  for (const zone of zones.list) {
    for (const alias of zone.plan.aliases ?? []) applyAlias(zone, alias, aliases[alias.owner])
  }
}

function applyAlias(zone: Zone, alias: AliasPlan, found: AliasAddresses | undefined): void {
  const owner = wireName(alias.owner)
  const node = zone.names.find(owner, 0, owner.length)!
  node.isUnresolved = found === undefined
  const others = node.rrsets.filter(({ type }) => type !== TYPE.A && type !== TYPE.AAAA)
  const prepare = (type: 'A' | 'AAAA', data: readonly string[]): RRset[] => {
    if (found === undefined || data.length === 0) return []
    const ttl = found.isStale ? STALE_TTL : Math.min(alias.ttl, found.ttl)
    const plan: RRsetPlan = {
      owner: alias.owner,
      type,
      ttl,
      data,
      from: alias.from,
      why: 'addresses of an ALIAS',
    }
    const made = prepareRRset({ plan, type: TYPE[type], owner, apex: zone.apex })
    const known = findRRset(node, made.type)
    // The same ones keep their signature.
    return [known !== undefined && Buffer.compare(known.wire, made.wire) === 0 ? known : made]
  }
  const next = [...others, ...prepare('A', found?.ipv4 ?? []), ...prepare('AAAA', found?.ipv6 ?? [])]
  if (next.length === node.rrsets.length && next.every((rrset, i) => rrset === node.rrsets[i])) return
  // Another array: a proof that a type is not there holds for the array it was made of.
  node.rrsets = next
  if (zone.signer !== undefined) assignSigner(node, zone.signer)
}
