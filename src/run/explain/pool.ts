import { type DnsOverlay, NO_OVERLAY } from '#dns/overlay-plan.ts'
import type { RRsetPlan } from '#dns/plan.ts'
import { createPlaces, type Places } from '#dns/pools/places.ts'
import { memberKey, type PoolPlan } from '#dns/pools/plan.ts'
import { distanceKm } from '#dns/pools/steer.ts'
import { createSteering, type SteeredAnswer } from '#dns/pools/steering.ts'
import type { RRset } from '#dns/rrset.ts'
import { addressOctets } from '#dns/wire/address.ts'
import type { Plan } from '#plan/plan.ts'
import { fault, type Step, step } from './step.ts'

/** What a running Portico found out for its zones; of a file alone nothing is known. */
export type DnsKnown = { readonly overlay: DnsOverlay; readonly places: Places }

/** Which member of a pool a client gets, and what is known of each. */
export function explainPool(
  rrset: RRset,
  { plan, dns }: { readonly plan: Plan; readonly dns?: DnsKnown },
  from: string | null,
): Step[] {
  const { overlay, places } = dns ?? { overlay: NO_OVERLAY, places: createPlaces(plan.dns.places, null) }
  const pool = plan.dns.pools.find(({ id }) => id === rrset.plan.pool!.id)!
  const address = addressOctets(from ?? '')
  const client = { address, bits: from === null ? 0 : address.length * 8, draw: 0 }
  const steered = createSteering(plan.dns.pools, places, overlay.health).choose(rrset, client)
  const { owner, ttl, type, data, from: at, pool: use } = rrset.plan
  const given = steered.members.map((member) => {
    return step('record', `${owner} ${ttl} ${type} ${data[member]}`, `${use!.policy}: ${steered.reason}`, at)
  })
  const none = fault('record', `${owner} ${type}: no address`, steered.reason, pool.from)
  const members = data.map((member) =>
    explainMember(member, pool, { overlay, steered, isAsked: from !== null }),
  )
  return [...(given.length === 0 ? [none] : given), ...members]
}

/** Which name an ALIAS takes its addresses from, and whether they are fresh; nothing where there is none. */
export function explainAlias(
  name: string,
  { plan, dns }: { readonly plan: Plan; readonly dns?: DnsKnown },
): Step[] {
  const owner = `${name.toLowerCase().replace(/\.$/, '')}.`
  const alias = plan.dns.zones.flatMap(({ aliases = [] }) => aliases).find((one) => one.owner === owner)
  if (alias === undefined) return []
  const says = `${alias.owner} ALIAS ${alias.target}`
  const found = dns?.overlay.aliases[owner]
  if (dns === undefined) return [step('record', says, 'a running Portico asks for its addresses', alias.from)]
  if (found === undefined) return [fault('record', says, 'its addresses were never found', alias.from)]
  const reason = found.isStale
    ? 'not found again: the last known addresses (RFC 8767 §4)'
    : `found, asked again after ${found.ttl} s`
  return [step('record', says, reason, alias.from)]
}

function explainMember(
  address: RRsetPlan['data'][number],
  pool: PoolPlan,
  { overlay, steered, isAsked }: { overlay: DnsOverlay; steered: SteeredAnswer; isAsked: boolean },
): Step {
  const { place, weight } = pool.members.find((member) => member.address === address)!
  const state = overlay.health[memberKey(pool.id, address)]
  const health = state === undefined ? 'not checked' : `${state.isUp ? 'up' : 'down'}: ${state.detail}`
  const km = place === null || steered.place === undefined ? null : distanceKm(steered.place, place)
  const where =
    km !== null
      ? `${Math.round(km)} km from the client`
      : isAsked
        ? 'distance not known'
        : 'ask with --from IP for the distance'
  const says = `${address} (${state?.isUp === false ? 'down' : 'up'}), ${where}, weight ${weight}`
  return step('pool', says, health, pool.from)
}
