import type { Shown } from '#acme/present.ts'
import { overlayZones } from '#dns/overlay.ts'
import { compileZones, type Zones } from '#dns/zone.ts'

/** Zones with what authorities look at over them; those that no proof concerns stay as they are. */
export function overlaid(zones: Zones, texts: Shown['texts']): Zones {
  if (texts.length === 0) return zones
  const plans = zones.list.map(({ plan }) => plan)
  const serials = new Map(zones.list.map(({ plan, serial }) => [plan.id, serial]))
  return compileZones(overlayZones(plans, texts), serials, zones)
}
