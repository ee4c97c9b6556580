/** A table of clients in memory that all threads share: entries with a tag each, in sets of eight. */
export type ClientTable = {
  /**
   * The entry of a client.
   *
   * @param key what stands for the client
   * @param isBetter whether entry `a` can be given away rather than `b`, when the client has none and its set is full
   * @param reset called for an entry that is given to the client
   */
  entryOf(key: string, isBetter: (a: number, b: number) => boolean, reset: (entry: number) => void): number
}

export type ClientTags = {
  readonly tags: SharedArrayBuffer
  /** for each set whether a thread gives one of its entries away */
  readonly locks: SharedArrayBuffer
  /** with what keys are hashed: chosen at random, so that no client can choose its entry */
  readonly seed: readonly [number, number]
}

const WAYS = 8
const WORD_OCTETS = 4
/** The tag of an entry that nobody had. */
const NOBODY = 0
/** A thread gives an entry away in less than a microsecond, unless the system puts it aside; after so many milliseconds it has died over it. */
const LOCK_WAIT_MS = 100

/** @param entries a power of two, 8 or more */
export function createClientTags(entries: number): ClientTags {
  const [a = 0, b = 0] = crypto.getRandomValues(new Int32Array(2))
  const [tags, locks] = [entries, entries / WAYS].map((count) => new SharedArrayBuffer(count * WORD_OCTETS))
  return { tags: tags!, locks: locks!, seed: [a, b] }
}

/**
 * Look at a table, from any thread.
 *
 * A client is known by 32 bits of its hash within one set: that any two of 65 536 are taken for one
 * has a chance of 1 in 16 000. Threads that look for room at the same moment get an entry each, or the same one for the same client.
 */
export function openClientTable(memory: ClientTags): ClientTable {
  const [tags, locks] = [new Int32Array(memory.tags), new Int32Array(memory.locks)]

  function find(first: number, tag: number): number {
    for (let entry = first; entry < first + WAYS; entry++) if (Atomics.load(tags, entry) === tag) return entry
    return -1
  }

  function bestOf(first: number, isBetter: (a: number, b: number) => boolean): number {
    let best = first
    for (let entry = first + 1; entry < first + WAYS; entry++) if (isBetter(entry, best)) best = entry
    return best
  }

  return {
    entryOf(key, isBetter, reset) {
      const set = hash(key, memory.seed[0]) & (locks.length - 1)
      const first = set * WAYS
      const tag = hash(key, memory.seed[1]) || NOBODY + 1
      const known = find(first, tag)
      if (known !== -1) return known
      for (let waitedMs = 0; waitedMs < LOCK_WAIT_MS; waitedMs++) {
        if (Atomics.compareExchange(locks, set, 0, 1) === 0) break
        Atomics.wait(locks, set, 1, 1)
      }
      let entry = find(first, tag)
      if (entry === -1) {
        entry = find(first, NOBODY)
        if (entry === -1) entry = bestOf(first, isBetter)
        reset(entry)
        Atomics.store(tags, entry, tag)
      }
      Atomics.store(locks, set, 0)
      return entry
    },
  }
}

/** Multiplied and mixed as in MurmurHash3, from a secret start. */
function hash(text: string, seed: number): number {
  let h = seed
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0xcc9e2d51)
    h = (h << 13) | (h >>> 19)
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
