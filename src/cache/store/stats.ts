import type { Parts } from './parts.ts'
import { control, count, type DiskShape, type Shared, UNIT_OCTETS, WORKERS } from './shared.ts'
import type { CacheStats } from './store.ts'

/** See `CacheStore.stats`. */
export function statsOf({ shared }: Parts): CacheStats {
  const { shape } = shared
  const words = shared.control
  const units = shape.units - words[control.freeUnits]!
  return {
    objects: words[control.objects]!,
    memory: {
      octets: units * UNIT_OCTETS + shape.budgetOctets - shape.units * UNIT_OCTETS,
      budgetOctets: shape.budgetOctets,
      hits: total(shared.allCounts, count.memoryHits),
    },
    disk: shape.disk === null ? null : diskOf(shape.disk, shared),
    fills: total(shared.allCounts, count.fills),
    evictions: total(shared.allCounts, count.evictions),
    purged: total(shared.allCounts, count.purged),
  }
}

function diskOf({ budgetOctets }: DiskShape, shared: Shared): CacheStats['disk'] {
  return {
    octets: Number(Atomics.load(shared.controlBig, control.diskOctets >> 1)),
    budgetOctets,
    hits: total(shared.allCounts, count.diskHits),
    isOn: Atomics.load(shared.control, control.diskOn) === 1,
  }
}

function total(counts: Float64Array, which: number): number {
  let sum = 0
  for (let worker = 0; worker < WORKERS; worker++) sum += counts[worker * count.row + which]!
  return sum
}
