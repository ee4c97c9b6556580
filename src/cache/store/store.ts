import type { Source } from '#http/exchange.ts'

/**
 * Objects by key, shared by all workers. A key may have several objects: variants by Vary, parts of a whole.
 * The store knows octets, keys and tags, and nothing of HTTP.
 */
export type CacheStore = {
  /**
   * All objects under a key, newest first, growing ones too; never one that failed or was purged.
   * The same object is given again while it stays as it is.
   */
  find(key: string): readonly CachedObject[]
  /**
   * Begin an object; everyone sees it at once, growing.
   *
   * @returns null when there is no room, or a purge since `epoch` named it: pass the response on and store nothing
   */
  create(key: string, options: CreateOptions): Fill | null
  /** Replace an object's meta in one step (304, RFC 9111 §4.3.4) and clear `isStale`; readers under way keep theirs. */
  update(object: CachedObject, meta: string): void
  /** Nobody finds it from now on; who reads it reads on. */
  remove(object: CachedObject): void
  /** Now, counted in purges: an object whose fetch began before a purge that names it is never found after it. */
  epoch(): number
  /** Resolves when nothing that the selector names is found any more (`soft`: without `isStale`), here or after a restart. */
  purge(selector: PurgeSelector, mode: 'hard' | 'soft'): Promise<PurgeReceipt>
  /** Become the one worker and request that fetches for a key; null when there is another. */
  lead(key: string): Lead | null
  /** Resolves when the leader is done or died, at the latest after `waitMs`; at once when nobody leads. */
  follow(key: string, waitMs: number): Promise<void>
  /** Objects in the order of their keys, from after the key `after`; for people, not for the hot path. */
  list(options: { prefix?: string; limit: number; after?: string }): readonly CachedObject[]
  stats(): CacheStats
  /** A worker died: what it locked, pinned, led or was filling is freed; readers of its fills get an error. Called by main. */
  forgetWorker(worker: number): void
  /** Stop what runs in the background; what is complete is on disk when this resolves. */
  close(): Promise<void>
}

export type CreateOptions = {
  /** what the rules keep with the body; at most 64 KiB */
  readonly meta: string
  readonly tags: readonly string[]
  /** null when it is not known before the end */
  readonly lengthOctets: number | null
  /** `epoch()` from before the request was sent */
  readonly epoch: number
}

export type CachedObject = {
  readonly id: number
  readonly key: string
  readonly meta: string
  readonly tags: readonly string[]
  /** null while it grows without a known length */
  readonly lengthOctets: number | null
  /** what has arrived of it */
  readonly storedOctets: number
  readonly state: 'growing' | 'whole' | 'failed'
  /** softly purged since it was stored or updated */
  readonly isStale: boolean
  /**
   * The whole body when it is at most `SMALL_OCTETS` long and in memory.
   *
   * @returns octets that stay as they are until the next call of `octets` of any object; null: use `read`
   */
  octets(): Uint8Array | null
  /**
   * The body from an offset up to (not including) another, or to its end; follows a growing object.
   * Its `read` rejects when the fill fails: with `Outgrown` when there was no room. What it gives stays in place until the next `read` or `cancel`.
   *
   * @returns null when the object made room for another since it was found: look again
   */
  read(fromOctet: number, toOctet: number | null): Source | null
  /** a slot for what this worker decoded from `meta`; gone when `meta` changes */
  decoded: unknown
}

export type Fill = {
  readonly object: CachedObject
  /**
   * Append. Wait for the promise, when there is one, before the next call; it never rejects.
   * Once the object has failed (no room left, disk full, longer than said) this does nothing.
   */
  write(octets: Uint8Array): void | Promise<void>
  /** It is whole. Shorter than said: it failed. */
  end(): void
  /** It broke off: its readers get an error, and nobody finds it. */
  fail(): void
}

export type Lead = {
  /** A head is stored, or there will be none: the followers look again, and the key is free. Later calls do nothing. */
  done(): void
}

/** What a purge names. A host is its prefixes. */
export type PurgeSelector =
  | { readonly keys: readonly string[] }
  | { readonly prefixes: readonly string[] }
  /** objects with at least one of them; only those whose keys begin so, when that is said */
  | { readonly tags: readonly string[]; readonly within?: readonly string[] }
  | { readonly everything: true }

export type PurgeReceipt = {
  readonly selector: PurgeSelector
  readonly mode: 'hard' | 'soft'
  /** objects and octets of bodies that were named, whole and growing ones */
  readonly objects: number
  readonly octets: number
  /** milliseconds since 1970 */
  readonly doneAtMs: number
}

export type CacheStats = {
  readonly objects: number
  readonly memory: TierStats
  /** null without a disk tier */
  readonly disk: (TierStats & { readonly isOn: boolean }) | null
  readonly fills: number
  /** objects that made room for others */
  readonly evictions: number
  readonly purged: number
}

export type TierStats = {
  /** in use: bodies, and in memory also keys, meta and index */
  readonly octets: number
  readonly budgetOctets: number
  /** bodies that were read from here */
  readonly hits: number
}
