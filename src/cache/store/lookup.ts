import { hashKey } from './hash.ts'
import { type Record, SharedObject } from './object.ts'
import type { Parts } from './parts.ts'
import { ENTRY_WORDS, field, state } from './shared.ts'
import type { CachedObject } from './store.ts'

/** Finds objects by key without the lock, and keeps what this worker has decoded of them. */
export class Lookup {
  readonly #parts: Parts
  readonly #entries: Int32Array
  readonly #buckets: Int32Array
  /** what was looked for last, and its hash: many want the same, and comparing is quicker than hashing */
  #key: string | undefined
  readonly #hash = new Int32Array(2)
  /** by the low bits of the slot: a bound for what a worker holds outside of the budget */
  readonly #objects: (SharedObject | undefined)[] = new Array(DECODED_OBJECTS).fill(undefined)

  constructor(parts: Parts) {
    this.#parts = parts
    this.#entries = parts.shared.entries
    this.#buckets = parts.shared.buckets
  }

  /** See `CacheStore.find`. */
  find(key: string): readonly CachedObject[] {
    if (key !== this.#key) {
      hashKey(key, this.#parts.shared.seed, this.#hash)
      this.#key = key
    }
    for (let tries = 0; tries < TRIES; tries++) {
      const found = this.#walk(key)
      if (found !== undefined) return found
    }
    return this.#parts.lock.hold(() => this.#walk(key)) ?? NONE
  }

  /** The object of an entry, also when it can not be found by its key; undefined when it changes at this moment. */
  objectAt(slot: number): SharedObject | undefined {
    const version = Atomics.load(this.#entries, slot * ENTRY_WORDS + field.version)
    const held = this.#objects[slot & (DECODED_OBJECTS - 1)]
    if (held !== undefined && held.slot === slot && held.version === version) return held
    const record = this.#read(slot, version)
    if (record === undefined) return undefined
    const object = new SharedObject(this.#parts, record)
    this.#objects[slot & (DECODED_OBJECTS - 1)] = object
    return object
  }

  /** An object that this worker made, so that `find` gives the same one. */
  keep(object: SharedObject): void {
    this.#objects[object.slot & (DECODED_OBJECTS - 1)] = object
  }

  /** Key and tags of an entry; undefined when it changes at this moment. */
  names(slot: number): Names | undefined {
    const version = this.#parts.table.get(slot, field.version)
    return this.#names(slot, version)?.names
  }

  /** The object of an entry whatever changes meanwhile, not kept; undefined when there is none. */
  peek(slot: number): SharedObject | undefined {
    for (let tries = 0; tries < TRIES; tries++) {
      const { table } = this.#parts
      const record = this.#read(slot, table.get(slot, field.version))
      if (record !== undefined) return new SharedObject(this.#parts, record)
      if (table.get(slot, field.linked) === 0) return undefined
    }
    const { lock, table } = this.#parts
    const record = lock.hold(() => this.#read(slot, table.get(slot, field.version)) ?? null)
    return record === null ? undefined : new SharedObject(this.#parts, record)
  }

  /** See `CacheStore.list`. */
  list(options: { prefix?: string; limit: number; after?: string }): readonly CachedObject[] {
    const { prefix = '', limit, after = '' } = options
    const { table } = this.#parts
    const objects: SharedObject[] = []
    for (let slot = 1; slot < table.end(); slot++) {
      const object = table.get(slot, field.linked) === 1 ? this.peek(slot) : undefined
      if (object?.key.startsWith(prefix) && object.key > after) objects.push(object)
      if (objects.length >= 4 * limit + LIST_LIMIT) keepFirst(objects, limit)
    }
    return keepFirst(objects, limit)
  }

  /** One walk along the bucket of `#hash`; undefined when an entry changed under our feet. */
  #walk(key: string): readonly CachedObject[] | undefined {
    const low = this.#hash[0]!
    const high = this.#hash[1]!
    let found: readonly CachedObject[] = NONE
    let slot = Atomics.load(this.#buckets, high & (this.#buckets.length - 1))
    for (let steps = 0; slot !== 0 && steps < CHAIN_LIMIT; steps++) {
      const at = slot * ENTRY_WORDS
      const version = Atomics.load(this.#entries, at + field.version)
      if (
        Atomics.load(this.#entries, at + field.hashLow) === low &&
        Atomics.load(this.#entries, at + field.hashHigh) === high &&
        Atomics.load(this.#entries, at + field.linked) === 1 &&
        Atomics.load(this.#entries, at + field.state) !== state.failed
      ) {
        const object = this.objectAt(slot)
        if (object === undefined) return undefined
        if (object.key === key) {
          object.touch()
          found = found.length === 0 ? object.alone : [...found, object]
        }
      }
      slot = Atomics.load(this.#entries, at + field.next)
      // The entry was given to another object, and `next` may lead into another bucket.
      if (Atomics.load(this.#entries, at + field.version) !== version) return undefined
    }
    return found
  }

  /** The strings of an entry, checked against a change in the meantime. */
  #read(slot: number, version: number): Record | undefined {
    const { shared, table } = this.#parts
    const generation = table.get(slot, field.generation)
    const read = this.#names(slot, version)
    if (read === undefined) return undefined
    const meta = shared.arena.toString('utf8', read.metaAt, read.tagsAt)
    return table.get(slot, field.version) === version
      ? { slot, generation, version, meta, ...read.names }
      : undefined
  }

  #names(slot: number, version: number): { names: Names; metaAt: number; tagsAt: number } | undefined {
    const { arena, shared, table } = this.#parts
    const record = table.get(slot, field.record)
    if (version % 2 !== 0 || record <= 0 || record >= shared.shape.units) return undefined
    const keyAt = arena.dataAt(record)
    const metaAt = keyAt + table.get(slot, field.keyOctets)
    const tagsAt = metaAt + table.get(slot, field.metaOctets)
    const key = shared.arena.toString('utf8', keyAt, metaAt)
    const tags = shared.arena.toString('utf8', tagsAt, tagsAt + table.get(slot, field.tagsOctets))
    if (table.get(slot, field.version) !== version) return undefined
    return { names: { key, tags: tags === '' ? NO_TAGS : (JSON.parse(tags) as string[]) }, metaAt, tagsAt }
  }
}

type Names = { readonly key: string; readonly tags: readonly string[] }

function keepFirst(objects: SharedObject[], limit: number): SharedObject[] {
  objects.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  if (objects.length > limit) objects.length = limit
  return objects
}

const LIST_LIMIT = 1024
const NONE: readonly CachedObject[] = []
const NO_TAGS: readonly string[] = []
/** 16 384: with keys and meta of 1 KiB about 16 MiB a worker. */
const DECODED_OBJECTS = 16_384
const TRIES = 8
const CHAIN_LIMIT = 1024
