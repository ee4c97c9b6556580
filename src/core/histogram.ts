/** Upper bounds of the buckets of a duration, in seconds; what takes longer falls into one more. */
export const DURATION_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
]

/** Buckets of a duration with the last one, which has no bound. */
export const DURATION_BUCKETS: number = DURATION_BOUNDS.length + 1

/** Counts of durations: plain JSON. */
export type Histogram = {
  /** how many fell into each bucket alone, `DURATION_BUCKETS` of them */
  readonly buckets: readonly number[]
  /** of all durations, in seconds */
  readonly sum: number
}

/** The bucket of a duration: a plain loop, because most answers are quick and the first bounds are theirs. */
export function bucketOf(seconds: number): number {
  let bucket = 0
  while (bucket < DURATION_BOUNDS.length && seconds > DURATION_BOUNDS[bucket]!) bucket++
  return bucket
}

/** Buckets and sum side by side in an array that others share, so that a table of histograms is one array. */
export const HISTOGRAM_CELLS: number = DURATION_BUCKETS + 1

/** Count a duration in the cells from `at`. */
export function countDuration(cells: Float64Array, at: number, milliseconds: number): void {
  const seconds = milliseconds / 1000
  cells[at + bucketOf(seconds)]!++
  cells[at + DURATION_BUCKETS]! += seconds
}

/** The histogram in the cells from `at`. */
export function readHistogram(cells: Float64Array, at: number): Histogram {
  return {
    buckets: Array.from(cells.subarray(at, at + DURATION_BUCKETS)),
    sum: cells[at + DURATION_BUCKETS]!,
  }
}

/** How many durations were counted. */
export function countOf({ buckets }: Histogram): number {
  return buckets.reduce((sum, count) => sum + count, 0)
}

/** What both have counted. */
export function addHistograms(a: Histogram, b: Histogram): Histogram {
  return { buckets: a.buckets.map((count, i) => count + (b.buckets[i] ?? 0)), sum: a.sum + b.sum }
}

/** What was counted after an earlier look; a counter that began anew counts from zero. */
export function subtractHistogram(now: Histogram, before: Histogram): Histogram {
  const isNew = now.buckets.some((count, i) => count < (before.buckets[i] ?? 0))
  if (isNew) return now
  return {
    buckets: now.buckets.map((count, i) => count - (before.buckets[i] ?? 0)),
    sum: now.sum - before.sum,
  }
}

/**
 * The duration that a share of all does not exceed, between the bounds of its bucket by proportion.
 *
 * @param share 0.99 for the 99th percentile
 * @returns seconds; undefined when nothing was counted; the last bound for what is beyond
 */
export function quantile(histogram: Histogram, share: number): number | undefined {
  const wanted = countOf(histogram) * share
  if (wanted === 0) return undefined
  let below = 0
  for (let i = 0; i < DURATION_BOUNDS.length; i++) {
    const count = histogram.buckets[i]!
    const from = i === 0 ? 0 : DURATION_BOUNDS[i - 1]!
    if (below + count >= wanted) return from + (DURATION_BOUNDS[i]! - from) * ((wanted - below) / count)
    below += count
  }
  return DURATION_BOUNDS.at(-1)
}
