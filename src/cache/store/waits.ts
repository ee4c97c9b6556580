import { ENTRY_WORDS, field, type Shared } from './shared.ts'

/** Waits for growing objects: one for each object and worker, however many readers follow. */
export class Waits {
  readonly #shared: Shared
  readonly #pending = new Map<number, { readonly seen: number; readonly change: Promise<void> }>()

  constructor(shared: Shared) {
    this.#shared = shared
  }

  /**
   * Resolves when an object changes: octets, state. Now and then also when nothing did.
   *
   * @param seen its `field.wake` from before the caller looked at it
   */
  change(slot: number, seen: number): Promise<void> {
    const pending = this.#pending.get(slot)
    if (pending?.seen === seen) return pending.change
    const change = this.#wait(slot, seen).then(() => {
      if (this.#pending.get(slot)?.change === change) this.#pending.delete(slot)
    })
    this.#pending.set(slot, { seen, change })
    return change
  }

  async #wait(slot: number, seen: number): Promise<void> {
    const at = slot * ENTRY_WORDS + field.wake
    const result = Atomics.waitAsync(this.#shared.entries, at, seen, LOOK_AGAIN_MS)
    if (result.async) await result.value
  }
}

/** Nobody waits forever, whatever happened to the one who fills. */
const LOOK_AGAIN_MS = 10_000
