/** What the caches of all routes have done; each worker counts for itself. A request is in one of the first five. */
export type CacheCounts = {
  /** answered from what is stored, and fresh */
  hits: number
  /** answered stale */
  stale: number
  /** waited for somebody else's fetch, and were answered from it */
  collapsed: number
  /** answered by the origin, or after it was asked */
  misses: number
  /** passed by: other methods, and what the file names */
  passed: number
  /** requests to origins, those in the background and those for slices and parts too */
  fetches: number
  /** octets of content that origins did not have to send */
  savedOctets: number
}

/** Counts from zero. */
export function createCounts(): CacheCounts {
  return { hits: 0, stale: 0, collapsed: 0, misses: 0, passed: 0, fetches: 0, savedOctets: 0 }
}

/** The share of requests that were answered without asking the origin for them; undefined without any. */
export function hitRatio({ hits, stale, collapsed, misses }: CacheCounts): number | undefined {
  const answered = hits + stale + collapsed
  return answered + misses === 0 ? undefined : answered / (answered + misses)
}
