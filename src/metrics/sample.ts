import { addHistograms, type Histogram } from '#core/histogram.ts'
import { type Family, type FamilyName, families } from './families.ts'

/** One series at one moment: plain JSON, so that it crosses threads and edges. */
export type Sample = {
  readonly family: FamilyName
  /** values in the order of the family's labels */
  readonly labels: readonly string[]
  readonly value: number | Histogram
}

/**
 * What several data planes have counted, as one.
 *
 * @param snapshots one list of samples a data plane
 * @returns a sample for each family and labels, in the order of their first coming
 */
export function mergeSamples(snapshots: Iterable<readonly Sample[]>): Sample[] {
  const merged = new Map<string, Sample>()
  for (const samples of snapshots) {
    for (const sample of samples) {
      const key = [sample.family, ...sample.labels].join('\0')
      const known = merged.get(key)
      merged.set(key, known === undefined ? sample : { ...known, value: mergeValues(known, sample) })
    }
  }
  return [...merged.values()]
}

function mergeValues({ family, value: a }: Sample, { value: b }: Sample): number | Histogram {
  if (typeof a !== 'number' || typeof b !== 'number')
    return typeof a === 'number' || typeof b === 'number' ? a : addHistograms(a, b)
  const { merge }: Family = families[family]
  return merge === 'max' ? Math.max(a, b) : a + b
}
