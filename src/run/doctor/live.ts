import { resolve } from 'node:path'
import type { Finding } from '#core/finding.ts'
import type { Asked } from '#dns/ask.ts'
import { keyZones } from '#dns/dnssec/keyed-zones.ts'
import { addressesOf } from '#plan/plan.ts'
import { compareWorld, looksOf } from '#plan/world.ts'
import { readDnssec } from '#run/dns/dnssec.ts'
import { DNS_PORT, systemResolver } from '#run/dns/resolver.ts'
import { readSerials } from '#run/dns/serials.ts'
import type { Planned } from '#run/portico.ts'
import { lookAtWorld } from './world.ts'

/** How a look at the world goes; the port of name servers differs in tests only. */
export type LiveOptions = {
  /** who is asked; the system's own resolver when not given */
  readonly resolver?: Asked
  readonly timeoutMs: number
  readonly serverPort?: number
}

/** Compare a planned file with what the world says of its zones; bounded in time. */
export async function checkLive(planned: Planned, options: LiveOptions): Promise<Finding[]> {
  const { plan, config, facts, folder } = planned
  if (plan === null || config === null) return []
  const resolver = options.resolver ?? systemResolver()
  if (resolver === undefined) {
    return [
      {
        what: 'resolver',
        level: 'unknown',
        message: 'this machine names no resolver to ask.',
        fix: '--resolver 9.9.9.9',
      },
    ]
  }
  const looks = looksOf(plan, addressesOf(config, facts), options.resolver !== undefined)
  const { timeoutMs, serverPort = DNS_PORT } = options
  const world = await lookAtWorld(looks, { resolver, serverPort, timeoutMs })
  const stateFolder = resolve(folder, config.value.state)
  const { zones } = keyZones(plan.dns.zones, await readDnssec(stateFolder))
  const serials = await readSerials(stateFolder, zones)
  return compareWorld(world, { plan: { ...plan, dns: { ...plan.dns, zones } }, config, serials })
}
