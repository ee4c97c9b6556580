import { setTimeout as sleep } from 'node:timers/promises'
import { control, type Shared } from './shared.ts'

/**
 * The lock before every change of the tables: held for microseconds, by one worker, never while waiting.
 *
 * A worker can be ended at any instruction, and then only main frees the lock, by `inherit`, when its event loop hears of
 * that death: so main soon gives up waiting. Workers wait far longer: whoever has the lock may be one that the system has
 * put aside on a busy machine, and what they give up is a response that is not kept or not found.
 */
export class Lock {
  readonly #words: Int32Array
  readonly #owner: number
  readonly #waitMs: number
  /** `control.lockCount` when we waited in vain: nobody has had the lock since while it stands there */
  #stuckAt: number | undefined

  constructor(shared: Shared) {
    this.#words = shared.control
    this.#owner = shared.worker + 1
    this.#waitMs = shared.worker === MAIN ? MAIN_WAIT_MS : WORKER_WAIT_MS
  }

  /** @returns what `work` returns; null when the lock did not become free */
  hold<T>(work: () => T): T | null {
    if (!this.#take()) return null
    this.#words[control.lockCount]! += 1
    try {
      return work()
    } finally {
      this.#give()
    }
  }

  /** Like `hold`, for as long as it takes. */
  async holdSoon<T>(work: () => T): Promise<T> {
    let result: { readonly value: T } | null = null
    while (result === null) {
      result = this.hold(() => ({ value: work() }))
      if (result === null) await sleep(RETRY_MS)
    }
    return result.value
  }

  /** Take over the lock of a worker that died, put right what it left, and give it back. */
  inherit(worker: number, putRight: () => void): void {
    const held = Atomics.compareExchange(this.#words, control.lock, worker + 1, this.#owner)
    if (held !== worker + 1) return
    putRight()
    this.#give()
  }

  #take(): boolean {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.compareExchange(this.#words, control.lock, 0, this.#owner) === 0) return true
    }
    if (this.#stuckAt === Atomics.load(this.#words, control.lockCount)) return false
    Atomics.add(this.#words, control.lockWaiters, 1)
    try {
      const deadline = performance.now() + this.#waitMs
      while (performance.now() < deadline) {
        const holder = Atomics.compareExchange(this.#words, control.lock, 0, this.#owner)
        if (holder === 0) return true
        Atomics.wait(this.#words, control.lock, holder, 1)
      }
      this.#stuckAt = Atomics.load(this.#words, control.lockCount)
      return false
    } finally {
      Atomics.sub(this.#words, control.lockWaiters, 1)
    }
  }

  #give(): void {
    Atomics.store(this.#words, control.lock, 0)
    if (Atomics.load(this.#words, control.lockWaiters) > 0) Atomics.notify(this.#words, control.lock, 1)
  }
}

const SPINS = 200
/** The number of the main thread. */
const MAIN = 0
/** Far above the longest time that the lock is held, far below what a client notices as a stall. */
const MAIN_WAIT_MS = 50
/** Far above the time for which a busy machine puts a thread aside. */
const WORKER_WAIT_MS = 2000
const RETRY_MS = 1
