import { type EndReason, SMALL_OCTETS, type Source } from '#http/exchange.ts'
import type {
  CachedObject,
  CacheStore,
  CreateOptions,
  Fill,
  Lead,
  PurgeReceipt,
  PurgeSelector,
} from './store.ts'

/** What every worker opens the same store with: survives `structuredClone` to a worker thread. */
export type StoreHandle = { readonly budgetOctets: number }

/** Make the memory of a store, once, on the main thread. */
export function createStoreMemory(options: { budgetOctets: number }): StoreHandle {
  return { budgetOctets: options.budgetOctets }
}

/**
 * Open a store.
 *
 * @param worker number of this worker, from 0, used by no other at the same time
 */
export function openStore(_handle: StoreHandle, _options: { worker: number }): CacheStore {
  return new FirstStore()
}

class Held implements CachedObject {
  readonly id: number
  readonly key: string
  readonly tags: readonly string[]
  meta: string
  lengthOctets: number | null
  state: 'growing' | 'whole' | 'failed' = 'growing'
  isStale = false
  decoded: unknown = undefined
  storedOctets = 0
  chunks: Uint8Array[] = []
  wake: (() => void)[] = []
  constructor(id: number, key: string, options: CreateOptions) {
    this.id = id
    this.key = key
    this.meta = options.meta
    this.tags = options.tags
    this.lengthOctets = options.lengthOctets
  }
  octets(): Uint8Array | null {
    return this.state === 'whole' && this.storedOctets <= SMALL_OCTETS ? Buffer.concat(this.chunks) : null
  }
  changed(): void {
    for (const wake of this.wake.splice(0)) wake()
  }
  read(from: number, to: number | null): Source {
    let at = from
    const take = (limit: number): Uint8Array | null | Promise<Uint8Array | null> => {
      if (to !== null && at >= to) return null
      let start = 0
      for (const chunk of this.chunks) {
        if (at < start + chunk.length) {
          const slice = chunk.subarray(at - start, Math.min(at - start + limit, (to ?? Infinity) - start))
          at += slice.length
          return slice
        }
        start += chunk.length
      }
      if (this.state === 'whole') return null
      if (this.state === 'failed') return Promise.reject(new Error('The fill of this object broke off'))
      return new Promise<void>((resolve) => this.wake.push(resolve)).then(() => take(limit))
    }
    return { read: take, cancel: (_reason: EndReason) => {} }
  }
}

class FirstStore implements CacheStore {
  readonly #objects = new Map<string, Held[]>()
  readonly #leads = new Map<string, (() => void)[]>()
  readonly #purges: ((key: string, tags: readonly string[]) => boolean)[] = []
  #nextId = 1
  find(key: string): readonly CachedObject[] {
    return this.#objects.get(key) ?? []
  }
  create(key: string, options: CreateOptions): Fill | null {
    if (this.#purges.slice(options.epoch).some((names) => names(key, options.tags))) return null
    const object = new Held(this.#nextId++, key, options)
    this.#objects.set(key, [object, ...(this.#objects.get(key) ?? [])])
    const fail = (): void => {
      if (object.state !== 'growing') return
      object.state = 'failed'
      this.remove(object)
      object.changed()
    }
    return {
      object,
      fail,
      write(octets) {
        if (object.state !== 'growing') return
        object.chunks.push(Buffer.from(octets))
        object.storedOctets += octets.length
        object.changed()
      },
      end() {
        if (object.lengthOctets !== null && object.lengthOctets !== object.storedOctets) return fail()
        object.state = 'whole'
        object.lengthOctets = object.storedOctets
        object.changed()
      },
    }
  }
  update(object: CachedObject, meta: string): void {
    const held = object as Held
    const next = Object.assign(Object.create(Held.prototype), held, {
      meta,
      isStale: false,
      decoded: undefined,
    })
    const list = this.#objects.get(object.key)
    if (list?.includes(held)) list[list.indexOf(held)] = next
  }
  remove(object: CachedObject): void {
    const left = (this.#objects.get(object.key) ?? []).filter(({ id }) => id !== object.id)
    if (left.length > 0) this.#objects.set(object.key, left)
    else this.#objects.delete(object.key)
  }
  epoch(): number {
    return this.#purges.length
  }
  async purge(selector: PurgeSelector, mode: 'hard' | 'soft'): Promise<PurgeReceipt> {
    const names = (key: string, tags: readonly string[]): boolean => {
      if ('keys' in selector) return selector.keys.includes(key)
      if ('prefixes' in selector) return selector.prefixes.some((prefix) => key.startsWith(prefix))
      if ('tags' in selector) return selector.tags.some((tag) => tags.includes(tag))
      return true
    }
    this.#purges.push(names)
    const named = [...this.#objects.values()].flat().filter(({ key, tags }) => names(key, tags))
    for (const object of named) {
      if (mode === 'soft') object.isStale = true
      else this.remove(object)
    }
    const octets = named.reduce((sum, { storedOctets }) => sum + storedOctets, 0)
    return { selector, mode, objects: named.length, octets, doneAtMs: Date.now() }
  }
  lead(key: string): Lead | null {
    if (this.#leads.has(key)) return null
    const waiting: (() => void)[] = []
    this.#leads.set(key, waiting)
    return {
      done: () => {
        if (this.#leads.get(key) !== waiting) return
        this.#leads.delete(key)
        for (const wake of waiting) wake()
      },
    }
  }
  follow(key: string, waitMs: number): Promise<void> {
    const waiting = this.#leads.get(key)
    if (waiting === undefined) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs)
      waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
  list({
    prefix = '',
    limit,
    after = '',
  }: {
    prefix?: string
    limit: number
    after?: string
  }): CachedObject[] {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix) && key > after)
    return keys
      .sort()
      .flatMap((key) => this.#objects.get(key) ?? [])
      .slice(0, limit)
  }
  stats(): ReturnType<CacheStore['stats']> {
    const all = [...this.#objects.values()].flat()
    const octets = all.reduce((sum, { storedOctets }) => sum + storedOctets, 0)
    const memory = { octets, budgetOctets: Number.POSITIVE_INFINITY, hits: 0 }
    return { objects: all.length, memory, disk: null, fills: 0, evictions: 0, purged: 0 }
  }
  forgetWorker(_worker: number): void {}
  async close(): Promise<void> {}
}
