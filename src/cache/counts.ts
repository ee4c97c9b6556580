/** What the caches of all routes have done; each worker counts for itself. */
export type CacheCounts = {
  /** answered without the origin, stale answers included */
  hits: number
  /** answered stale */
  stale: number
  /** sent on to the origin */
  misses: number
  /** waited for somebody else's fetch, and were answered from it */
  collapsed: number
  /** passed by: other methods, and what the file names */
  passed: number
  /** octets of whole stored responses that were answered with hits */
  savedOctets: number
}

/** Counts from zero. */
export function createCounts(): CacheCounts {
  return { hits: 0, stale: 0, misses: 0, collapsed: 0, passed: 0, savedOctets: 0 }
}
