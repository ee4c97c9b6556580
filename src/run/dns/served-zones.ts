import { join } from 'node:path'
import { silent } from '#core/log.ts'
import { keyZones } from '#dns/dnssec/keyed-zones.ts'
import type { ZoneKeys } from '#dns/dnssec/plan.ts'
import type { DnsPlan, ZonePlan } from '#dns/plan.ts'
import { createMoveCounts } from '#dns/transfer/counts.ts'
import type { Version } from '#dns/transfer/difference.ts'
import { createLedger } from '#dns/transfer/ledger.ts'
import { readDnssec } from './dnssec.ts'
import { readSerials } from './serials.ts'

/**
 * The zones of a Plan as they are served: with keys, dynamic updates, and copies of primaries. Nothing is written.
 *
 * @throws {Error} when state cannot be read
 */
export async function readServedZones(
  dns: DnsPlan,
  stateFolder: string,
): Promise<{ readonly versions: readonly Version[]; readonly keys: ZoneKeys }> {
  const { zones, keys } = keyZones(dns.zones, await readDnssec(stateFolder))
  const advance = (plans: readonly ZonePlan[]) => readSerials(stateFolder, plans)
  const nobody = { publish: () => {}, counts: createMoveCounts(), log: silent }
  const ledger = createLedger({ folder: join(stateFolder, 'dns'), advance, ...nobody })
  const own = { tsig: new Map(), dnssec: keys }
  const { versions } = await ledger.prepare({ ...dns, zones }, own, async () => ({}))
  return { versions, keys }
}
