import { control, type Shared } from './shared.ts'

/**
 * The lock before every change of the tables: held for microseconds, by one worker, never while waiting.
 *
 * A worker can be ended at any instruction. Whoever waits gives up after `WAIT_MS`, because main must get back to its
 * event loop to hear of that death and call `free`.
 */
export class Lock {
  readonly #words: Int32Array
  readonly #owner: number

  constructor(shared: Shared) {
    this.#words = shared.control
    this.#owner = shared.worker + 1
  }

  /** @returns what `work` returns; null when the lock did not become free */
  hold<T>(work: () => T): T | null {
    if (!this.#take()) return null
    try {
      return work()
    } finally {
      this.#give()
    }
  }

  isHeldBy(worker: number): boolean {
    return Atomics.load(this.#words, control.lock) === worker + 1
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
    Atomics.add(this.#words, control.lockWaiters, 1)
    try {
      const deadline = performance.now() + WAIT_MS
      while (performance.now() < deadline) {
        const holder = Atomics.compareExchange(this.#words, control.lock, 0, this.#owner)
        if (holder === 0) return true
        Atomics.wait(this.#words, control.lock, holder, 1)
      }
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
/** Far above the longest time that the lock is held, far below what a client notices as a stall. */
const WAIT_MS = 50
