/**
 * What a stored object is worth keeping: often asked for, not long ago, small.
 *
 * The first request counts a fifth: most objects of the web are asked for once. The size to the power of 3/4 stands
 * between hits of objects (the size itself) and hits of octets (no size at all). decisions/cache-store.md has the figures.
 *
 * @param hits requests for it, with those that are remembered from before it was dropped; at least 1
 * @param idle objects that were created since it was last asked for
 * @param octets what it takes
 * @returns more than 0; the least is dropped first
 */
export function worth(hits: number, idle: number, octets: number): number {
  const root = Math.sqrt(octets + 1)
  return (hits - 0.8) / ((idle + 1) * root * Math.sqrt(root))
}

/** How many objects are looked at to find one to drop: with 16 the hit ratio falls by 0.2 points, 64 bring nothing. */
export const SAMPLES = 24
/** Requests are counted up to here; an object that everyone asks for is then read without a write. */
export const HITS_LIMIT = 63
/** Cells of memory of dropped objects for each object that can be held. */
export const GHOSTS_PER_OBJECT = 4

/**
 * Remember how often a dropped object was asked for, in place of another one that falls in the same cell.
 *
 * @param cells a power of two of cells, 0 when empty: 4 bits of count below 28 bits of hash
 */
export function rememberDropped(cells: Int32Array, hash: number, hits: number): void {
  cells[(hash >>> 4) & (cells.length - 1)] = (hash & ~GHOST_HITS) | Math.min(hits, GHOST_HITS)
}

/** How often an object was asked for before it was dropped; 0 when that is not known. */
export function droppedHits(cells: Int32Array, hash: number): number {
  const cell = cells[(hash >>> 4) & (cells.length - 1)]!
  return (cell ^ hash) & ~GHOST_HITS ? 0 : cell & GHOST_HITS
}

const GHOST_HITS = 15

/**
 * The next of a row of numbers that look random: xorshift32.
 *
 * @param state not 0
 */
export function nextRandom(state: number): number {
  let next = state
  next ^= next << 13
  next ^= next >>> 17
  next ^= next << 5
  return next
}
