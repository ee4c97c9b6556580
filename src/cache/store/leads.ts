import { hashKey } from './hash.ts'
import type { Lock } from './lock.ts'
import { LEAD_WORDS, type Shared } from './shared.ts'
import type { Lead } from './store.ts'

/** Who fetches for which key, over all workers: cells that followers wait on. */
export class Leads {
  readonly #shared: Shared
  readonly #lock: Lock
  readonly #words: Int32Array
  readonly #hash = new Int32Array(2)

  constructor(shared: Shared, lock: Lock) {
    this.#shared = shared
    this.#lock = lock
    this.#words = shared.leads
  }

  /** See `CacheStore.lead`. When the table is full the lead is real and nobody can follow it. */
  lead(key: string): Lead | null {
    const taken = this.#lock.hold(() => (this.#find(key) === undefined ? this.#claim() : null))
    if (taken === null) return this.#find(key) === undefined ? { done() {} } : null
    if (taken === undefined) return { done() {} }
    const ticket = this.#words[taken + SEQUENCE]!
    return {
      done: () => {
        if (Atomics.load(this.#words, taken + SEQUENCE) === ticket) this.#free(taken)
      },
    }
  }

  /** See `CacheStore.follow`. */
  async follow(key: string, waitMs: number): Promise<void> {
    const cell = this.#find(key)
    if (cell === undefined) return
    const sequence = Atomics.load(this.#words, cell + SEQUENCE)
    if (Atomics.load(this.#words, cell + OWNER) === 0) return
    const end = Atomics.waitAsync(this.#words, cell + SEQUENCE, sequence, waitMs)
    if (end.async) await end.value
  }

  forgetWorker(worker: number): void {
    for (let cell = 0; cell < this.#words.length; cell += LEAD_WORDS) {
      if (Atomics.load(this.#words, cell + OWNER) === worker + 1) this.#free(cell)
    }
  }

  #free(cell: number): void {
    Atomics.store(this.#words, cell + OWNER, 0)
    Atomics.add(this.#words, cell + SEQUENCE, 1)
    Atomics.notify(this.#words, cell + SEQUENCE)
  }

  /** The cell of whoever leads for a key; leaves its hash in `#hash`. */
  #find(key: string): number | undefined {
    hashKey(key, this.#shared.seed, this.#hash)
    for (let probe = 0; probe < PROBES; probe++) {
      const cell = this.#cell(probe)
      if (Atomics.load(this.#words, cell + OWNER) === 0) continue
      if (this.#words[cell] === this.#hash[0] && this.#words[cell + 1] === this.#hash[1]) return cell
    }
    return undefined
  }

  #claim(): number | undefined {
    for (let probe = 0; probe < PROBES; probe++) {
      const cell = this.#cell(probe)
      if (Atomics.load(this.#words, cell + OWNER) !== 0) continue
      this.#words[cell] = this.#hash[0]!
      this.#words[cell + 1] = this.#hash[1]!
      Atomics.store(this.#words, cell + OWNER, this.#shared.worker + 1)
      return cell
    }
    return undefined
  }

  #cell(probe: number): number {
    return (((this.#hash[0]! >>> 0) + probe) * LEAD_WORDS) % this.#words.length
  }
}

const OWNER = 2
const SEQUENCE = 3
/** Cells in which the lead for a key may stand. */
const PROBES = 8
