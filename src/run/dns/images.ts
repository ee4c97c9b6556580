import { allocateShared } from '#core/large-memory.ts'
import { drawZone, type ZoneImage } from '#dns/image.ts'
import { openImage, type SetsOf } from '#dns/open-image.ts'
import type { RRsetPlan, ZonePlan } from '#dns/plan.ts'
import type { Zone } from '#dns/zone.ts'

/** Images of zones as they are served, drawn once for all threads. */
export type ZoneImages = {
  /**
   * Put images in place of RRsets where a zone has one, and forget those of other zones.
   *
   * @param isSigned whether answers of a zone, by its id, have signatures: then it has no image
   */
  take(plans: readonly ZonePlan[], isSigned: (id: string) => boolean): ImagedZones
  /** Serve a zone, with its RRsets as they were written; undefined where it has no image. */
  open(plan: ZonePlan, serial: number): Zone | undefined
}

export type ImagedZones = {
  readonly zones: readonly ZonePlan[]
  /** by the key of a zone */
  readonly images: ReadonlyMap<string, ZoneImage>
}

/** @example createImages().take(plan.dns.zones, () => false).images.get(zone.key) */
export function createImages(): ZoneImages {
  /** by id; null where a zone cannot have one */
  let drawn = new Map<string, { readonly key: string; readonly image: ZoneImage | null }>()
  return {
    take(plans, isSigned) {
      const allocate = createArena()
      const next: typeof drawn = new Map()
      const images = new Map<string, ZoneImage>()
      const zones = plans.map((plan): ZonePlan => {
        const known = drawn.get(plan.id)
        if (isSigned(plan.id)) return plan
        const image = known?.key === plan.key ? known.image : (drawZone(plan, allocate) ?? null)
        next.set(plan.id, { key: plan.key, image })
        if (image === null) return plan
        images.set(plan.key, image)
        return { ...plan, rrsets: [] }
      })
      drawn = next
      return { zones, images }
    },
    open(plan, serial) {
      const known = drawn.get(plan.id)
      if (known?.key !== plan.key || known.image === null) return undefined
      return openImage(plan, serial, known.image, setsIn(plan))
    },
  }
}

/** Sets of a zone by their owner, gathered when the first is wanted. */
function setsIn({ rrsets }: ZonePlan): SetsOf {
  let owners: Map<string, RRsetPlan[]> | undefined
  return (owner) => (owners ??= Map.groupBy(rrsets, (rrset) => rrset.owner)).get(owner) ?? []
}

/** Blocks of memory, in octets: a change of one zone takes little, and a million names take large pages. */
const BLOCK = { first: 65_536, last: 33_554_432 } as const
/** Numbers of 32 bits stand at places of so many octets. */
const ALIGNMENT = 4

function createArena(): (octets: number) => Uint8Array {
  let block = allocateShared(0)
  let end = 0
  let next: number = BLOCK.first
  return (octets) => {
    if (end + octets > block.length) {
      block = allocateShared(Math.max(octets, next))
      end = 0
      next = Math.min(2 * next, BLOCK.last)
    }
    const start = end
    end = Math.ceil((start + octets) / ALIGNMENT) * ALIGNMENT
    return block.subarray(start, start + octets)
  }
}
