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

/** Where tags stand, and with what numbers keys are hashed: chosen at random, so that no client can choose its entry. */
export type ClientTags = { readonly tags: SharedArrayBuffer; readonly seed: readonly [number, number] }

const WAYS = 8
const TAG_OCTETS = 4

/** @param entries a power of two, 8 or more */
export function createClientTags(entries: number): ClientTags {
  const [a = 0, b = 0] = crypto.getRandomValues(new Int32Array(2))
  return { tags: new SharedArrayBuffer(entries * TAG_OCTETS), seed: [a, b] }
}

/**
 * Look at a table, from any thread.
 *
 * A client is known by 32 bits of its hash within one set: that any two of 65 536 are taken for one
 * has a chance of 1 in 16 000. Threads that look for room at the same moment may take an entry from each other, after which a
 * client begins anew; what is counted twice or lost is one request.
 */
export function openClientTable({ tags: memory, seed }: ClientTags): ClientTable {
  const tags = new Int32Array(memory)
  const lastSet = tags.length / WAYS - 1

  return {
    entryOf(key, isBetter, reset) {
      const first = (hash(key, seed[0]) & lastSet) * WAYS
      // 0 is an entry that nobody had.
      const tag = hash(key, seed[1]) || 1
      for (let entry = first; entry < first + WAYS; entry++)
        if (Atomics.load(tags, entry) === tag) return entry
      let best = first
      for (let entry = first + 1; entry < first + WAYS; entry++) if (isBetter(entry, best)) best = entry
      reset(best)
      Atomics.store(tags, best, tag)
      return best
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
