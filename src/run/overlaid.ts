import type { Shown } from '#acme/present.ts'
import { overlayZones } from '#dns/overlay.ts'
import type { ZonePlan } from '#dns/plan.ts'
import type { Signer } from '#dns/rrset.ts'
import { compileZones, type Zones } from '#dns/zone.ts'

/** The zones of the file with what authorities look at over them; what no proof concerns is as in the file. */
export function overlaid(
  zones: Zones,
  texts: Shown['texts'],
  serials: ReadonlyMap<string, number>,
  signerOf?: (zone: ZonePlan) => Signer | undefined,
): Zones {
  if (texts.length === 0) return zones
  const plans = zones.list.map(({ plan }) => plan)
  return compileZones(overlayZones(plans, texts), serials, zones, signerOf)
}
