/** How much one key took: plain JSON. */
export type BusyKey = { readonly key: string; readonly requests: number; readonly octets: number }

type Counter = { requests: number; octets: number }

/**
 * The heaviest keys of a stream, in bounded memory (Misra and Gries 1982, emptied in batches).
 *
 * When the table is full the median count is taken from all, and who has nothing left goes. So a key that has more
 * than 2/`limit` of all requests is always there, and its count is short by at most `missed`.
 *
 * @example const busiest = new Busiest(1024); busiest.count('203.0.113.7', 512); busiest.top(10)
 */
export class Busiest {
  /** how many requests a count may be short of, at most */
  missed = 0
  readonly #limit: number
  readonly #counters = new Map<string, Counter>()

  /** @param limit keys at a time, 2 or more */
  constructor(limit: number) {
    this.#limit = limit
  }

  count(key: string, octets: number): void {
    const counter = this.#counters.get(key)
    if (counter === undefined) {
      if (this.#counters.size >= this.#limit) this.#makeRoom()
      this.#counters.set(key, { requests: 1, octets })
      return
    }
    counter.requests++
    counter.octets += octets
  }

  /** The heaviest, the first of all first. */
  top(limit: number): BusyKey[] {
    return Array.from(this.#counters, ([key, counter]) => ({ key, ...counter }))
      .sort((a, b) => b.requests - a.requests || b.octets - a.octets || (a.key < b.key ? -1 : 1))
      .slice(0, limit)
  }

  #makeRoom(): void {
    const counts = Array.from(this.#counters.values(), ({ requests }) => requests).sort((a, b) => a - b)
    const median = counts[counts.length >> 1]!
    this.missed += median
    for (const [key, counter] of this.#counters) {
      counter.requests -= median
      if (counter.requests <= 0) this.#counters.delete(key)
    }
  }
}

/** What several data planes found, as one. */
export function mergeBusiest(lists: readonly (readonly BusyKey[])[], limit: number): BusyKey[] {
  const sums = new Map<string, BusyKey>()
  for (const one of lists.flat()) {
    const known = sums.get(one.key) ?? { key: one.key, requests: 0, octets: 0 }
    sums.set(one.key, {
      key: one.key,
      requests: known.requests + one.requests,
      octets: known.octets + one.octets,
    })
  }
  return [...sums.values()].sort((a, b) => b.requests - a.requests || b.octets - a.octets).slice(0, limit)
}
