import { hashKey } from './hash.ts'
import { control, PURGE_WORDS, PURGES, type Shared } from './shared.ts'
import type { PurgeSelector } from './store.ts'

/** Whether a selector names an object. */
export function isNamed(selector: PurgeSelector, key: string, tags: readonly string[]): boolean {
  if ('keys' in selector) return selector.keys.includes(key)
  if ('prefixes' in selector) return selector.prefixes.some((prefix) => key.startsWith(prefix))
  if (!('tags' in selector)) return true
  const isWithin = selector.within?.some((prefix) => key.startsWith(prefix)) ?? true
  return isWithin && selector.tags.some((tag) => tags.includes(tag))
}

/**
 * The last purges, as hashes of what each named: what was fetched before one of them must not be stored after it.
 * Under the lock.
 */
export class PurgeLog {
  readonly #shared: Shared
  readonly #words: Int32Array
  readonly #hash = new Int32Array(2)

  constructor(shared: Shared) {
    this.#shared = shared
    this.#words = shared.purges
  }

  /** An epoch for each name in the selector. `within` is left out: rather is something of another host not stored. */
  note(selector: PurgeSelector): void {
    if ('keys' in selector) for (const key of selector.keys) this.#add(KEY, key)
    else if ('prefixes' in selector) for (const prefix of selector.prefixes) this.#add(PREFIX, prefix)
    else if ('tags' in selector) for (const tag of selector.tags) this.#add(TAG, tag)
    else this.#add(EVERYTHING, '')
  }

  /** Whether a purge since `epoch` names it; also when there were too many to know. */
  isPurgedSince(epoch: number, key: string, tags: readonly string[]): boolean {
    const now = this.#shared.control[control.epoch]!
    if (now - epoch >= PURGES) return true
    for (let past = epoch + 1; past <= now; past++) {
      if (this.#names((past % PURGES) * PURGE_WORDS, key, tags)) return true
    }
    return false
  }

  #add(kind: number, name: string): void {
    const epoch = this.#shared.control[control.epoch]! + 1
    const at = (epoch % PURGES) * PURGE_WORDS
    hashKey(name, this.#shared.seed, this.#hash)
    this.#words[at] = kind
    this.#words[at + 1] = name.length
    this.#words[at + 2] = this.#hash[0]!
    this.#words[at + 3] = this.#hash[1]!
    Atomics.store(this.#shared.control, control.epoch, epoch)
  }

  #names(at: number, key: string, tags: readonly string[]): boolean {
    const kind = this.#words[at]
    if (kind === TAG) return tags.some((tag) => this.#isHashOf(at, tag))
    if (kind === PREFIX) return this.#isHashOf(at, key.slice(0, this.#words[at + 1]!))
    return kind === EVERYTHING || this.#isHashOf(at, key)
  }

  #isHashOf(at: number, name: string): boolean {
    if (name.length !== this.#words[at + 1]) return false
    hashKey(name, this.#shared.seed, this.#hash)
    return this.#words[at + 2] === this.#hash[0] && this.#words[at + 3] === this.#hash[1]
  }
}

const KEY = 1
const PREFIX = 2
const TAG = 3
const EVERYTHING = 4
