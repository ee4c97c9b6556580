/** What the hit-ratio bench compares: each decides which object leaves a full cache. */
import {
  droppedHits,
  GHOSTS_PER_OBJECT,
  HITS_LIMIT,
  nextRandom,
  rememberDropped,
  SAMPLES,
  worth,
} from '../src/cache/store/worth.ts'
import type { Trace } from './hit-ratio-trace.ts'

/** Told of every request; keys are small integers. */
export type Policy = {
  hit(key: number, at: number): void
  admit(key: number, at: number): void
  /** the key that leaves; it was admitted and has not left */
  evict(): number
}

export type PolicyName = 'ours' | 'lru' | 's3fifo' | 'belady'

/** The policies by name, each for a trace and a capacity in octets. */
export const policies: Readonly<Record<PolicyName, (trace: Trace, capacity: number) => Policy>> = {
  ours,
  lru,
  s3fifo,
  belady,
}

/** The functions of src/cache/store/worth.ts, with the sample drawn as the store draws it. */
function ours({ sizes, meanSize }: Trace, capacity: number): Policy {
  const objects = Math.max(16, 2 ** Math.ceil(Math.log2(capacity / meanSize)))
  const ghosts = new Int32Array(objects * GHOSTS_PER_OBJECT)
  const hits = new Uint8Array(sizes.length)
  const usedAt = new Int32Array(sizes.length)
  const place = new Int32Array(sizes.length)
  const kept: number[] = []
  let random = 12_345
  let clock = 0
  const hash = (key: number): number => Math.imul(key + 1, 0x9e3779b1)
  return {
    hit(key) {
      hits[key] = Math.min(HITS_LIMIT, hits[key]! + 1)
      usedAt[key] = clock
    },
    admit(key) {
      hits[key] = 1 + droppedHits(ghosts, hash(key))
      usedAt[key] = ++clock
      place[key] = kept.push(key) - 1
    },
    evict() {
      let victim = 0
      let least = Number.POSITIVE_INFINITY
      for (let sample = 0; sample < SAMPLES; sample++) {
        random = nextRandom(random)
        const key = kept[(random >>> 0) % kept.length]!
        const value = worth(hits[key]!, clock - usedAt[key]!, sizes[key]!)
        if (value < least) [victim, least] = [key, value]
      }
      rememberDropped(ghosts, hash(victim), hits[victim]!)
      const last = kept.pop()!
      if (last !== victim) {
        kept[place[victim]!] = last
        place[last] = place[victim]!
      }
      return victim
    },
  }
}

function lru(): Policy {
  const order = new Map<number, true>()
  return {
    hit(key) {
      order.delete(key)
      order.set(key, true)
    },
    admit(key) {
      order.set(key, true)
    },
    evict() {
      const [oldest] = order.keys()
      order.delete(oldest!)
      return oldest!
    },
  }
}

/** Yang et al., SOSP 2023: a tenth for newcomers, counts up to 3, ghosts as many as the main queue holds. */
function s3fifo({ sizes }: Trace, capacity: number): Policy {
  const small = new Map<number, true>()
  const main = new Map<number, true>()
  const ghosts = new Map<number, true>()
  const counts = new Uint8Array(sizes.length)
  let smallOctets = 0
  const first = (queue: Map<number, true>): number => queue.keys().next().value!
  const toMain = (key: number): void => {
    main.set(key, true)
    counts[key] = 0
  }
  const fromMain = (): number => {
    for (;;) {
      const key = first(main)
      main.delete(key)
      if (counts[key] === 0) return key
      counts[key]! -= 1
      main.set(key, true)
    }
  }
  return {
    hit(key) {
      counts[key] = Math.min(3, counts[key]! + 1)
    },
    admit(key) {
      counts[key] = 0
      if (ghosts.delete(key)) main.set(key, true)
      else {
        small.set(key, true)
        smallOctets += sizes[key]!
      }
    },
    evict() {
      while (small.size > 0 && (smallOctets > capacity / 10 || main.size === 0)) {
        const key = first(small)
        small.delete(key)
        smallOctets -= sizes[key]!
        if (counts[key]! > 1) {
          toMain(key)
          continue
        }
        ghosts.set(key, true)
        if (ghosts.size > main.size + 16) ghosts.delete(first(ghosts))
        return key
      }
      return fromMain()
    },
  }
}

/** Knows the future: what is asked for last leaves first. A heap by next request; stale places are skipped. */
function belady({ keys, sizes }: Trace): Policy {
  const next = nextRequests(keys, sizes.length)
  const nextOf = new Float64Array(sizes.length)
  const heap: { readonly key: number; readonly next: number }[] = []
  const push = (key: number, at: number): void => {
    nextOf[key] = next[at]!
    heap.push({ key, next: next[at]! })
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1
      if (heap[parent]!.next >= heap[child]!.next) break
      ;[heap[parent], heap[child]] = [heap[child]!, heap[parent]!]
      child = parent
    }
  }
  const pop = (): { readonly key: number; readonly next: number } => {
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) heap[0] = last
    for (let parent = 0; ; ) {
      const left = 2 * parent + 1
      const larger = (heap[left + 1]?.next ?? -1) > (heap[left]?.next ?? -1) ? left + 1 : left
      if ((heap[larger]?.next ?? -1) <= (heap[parent]?.next ?? -1)) return top
      ;[heap[parent], heap[larger]] = [heap[larger]!, heap[parent]!]
      parent = larger
    }
  }
  return {
    hit: push,
    admit: push,
    evict() {
      for (;;) {
        const { key, next: at } = pop()
        if (nextOf[key] !== at) continue
        nextOf[key] = -1
        return key
      }
    },
  }
}

/** For each request, when its key is asked for again; far beyond the end when never, each at its own time. */
function nextRequests(keys: readonly number[], objects: number): Float64Array {
  const next = new Float64Array(keys.length)
  const seen = new Float64Array(objects).fill(Number.NaN)
  for (let at = keys.length - 1; at >= 0; at--) {
    const later = seen[keys[at]!]!
    next[at] = Number.isNaN(later) ? 2 * keys.length + at : later
    seen[keys[at]!] = at
  }
  return next
}
