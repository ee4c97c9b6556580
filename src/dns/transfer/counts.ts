/** How often zones moved since the start, by what came of it. */
export type MoveCounts = {
  /** copies that were given, by why they were whole or not */
  readonly out: Map<string, number>
  /** tries to fetch from a primary: whole, changes, up to date, failed */
  readonly in: Map<string, number>
  /** dynamic updates by rcode */
  readonly updates: Map<string, number>
}

/** Nothing has moved. */
export function createMoveCounts(): MoveCounts {
  return { out: new Map(), in: new Map(), updates: new Map() }
}

/** Count one more. */
export function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1)
}
