import { control, PURGE_OCTETS, PURGES, type Shared } from './shared.ts'
import type { PurgeSelector } from './store.ts'

/** Whether a selector names an object. */
export function isNamed(selector: PurgeSelector, key: string, tags: readonly string[]): boolean {
  if ('keys' in selector) return selector.keys.includes(key)
  if ('prefixes' in selector) return selector.prefixes.some((prefix) => key.startsWith(prefix))
  if ('tags' in selector) return selector.tags.some((tag) => tags.includes(tag))
  return true
}

/** The last purges: what was fetched before one of them must not be stored after it. Under the lock. */
export class PurgeLog {
  readonly #shared: Shared
  /** what this worker has read of the log */
  readonly #read: { readonly epoch: number; readonly selector: PurgeSelector }[] = []

  constructor(shared: Shared) {
    this.#shared = shared
  }

  /** @returns the epoch that begins */
  note(selector: PurgeSelector): number {
    const epoch = this.#shared.control[control.epoch]! + 1
    const text = Buffer.from(JSON.stringify(selector))
    // What does not fit counts as a purge of everything, for fetches under way.
    const noted = text.length <= PURGE_OCTETS - 4 ? text : Buffer.from('{"everything":true}')
    const at = (epoch % PURGES) * PURGE_OCTETS
    this.#shared.purges.writeInt32LE(noted.length, at)
    noted.copy(this.#shared.purges, at + 4)
    return Atomics.store(this.#shared.control, control.epoch, epoch)
  }

  /** Whether a purge since `epoch` names it; also when there were too many to know. */
  isPurgedSince(epoch: number, key: string, tags: readonly string[]): boolean {
    const now = this.#shared.control[control.epoch]!
    if (now - epoch >= PURGES) return true
    for (let past = epoch + 1; past <= now; past++) {
      if (isNamed(this.#selectorOf(past), key, tags)) return true
    }
    return false
  }

  #selectorOf(epoch: number): PurgeSelector {
    const known = this.#read[epoch % PURGES]
    if (known?.epoch === epoch) return known.selector
    const at = (epoch % PURGES) * PURGE_OCTETS
    const length = this.#shared.purges.readInt32LE(at)
    const selector = JSON.parse(
      this.#shared.purges.toString('utf8', at + 4, at + 4 + length),
    ) as PurgeSelector
    this.#read[epoch % PURGES] = { epoch, selector }
    return selector
  }
}
