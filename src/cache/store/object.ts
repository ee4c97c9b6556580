import type { Source } from '#http/exchange.ts'
import type { Parts } from './parts.ts'
import { Reader } from './reader.ts'
import { control, count, ENTRY_WORDS, field, flag, state } from './shared.ts'
import type { CachedObject } from './store.ts'
import { HITS_LIMIT } from './worth.ts'

/** What an object is made from: the strings of its record, and which entry of which age they came from. */
export type Record = {
  readonly slot: number
  readonly generation: number
  readonly version: number
  readonly key: string
  readonly meta: string
  readonly tags: readonly string[]
}

/** One worker's view of an object: strings of its own, the rest from the shared entry. */
export class SharedObject implements CachedObject {
  readonly id: number
  readonly key: string
  readonly meta: string
  readonly tags: readonly string[]
  readonly slot: number
  readonly generation: number
  readonly version: number
  /** what `find` returns when the key has no other object */
  readonly alone: readonly CachedObject[]
  decoded: unknown = undefined
  readonly #parts: Parts
  #length: number | null = null
  #isWhole = false

  constructor(parts: Parts, { slot, generation, version, key, meta, tags }: Record) {
    this.#parts = parts
    this.id = slot
    this.slot = slot
    this.generation = generation
    this.version = version
    this.key = key
    this.meta = meta
    this.tags = tags
    this.alone = [this]
  }

  get state(): CachedObject['state'] {
    if (this.#isWhole) return 'whole'
    const now = this.#parts.table.get(this.slot, field.state)
    if (this.#isGone() || now === state.failed) return 'failed'
    this.#isWhole = now === state.whole
    return this.#isWhole ? 'whole' : 'growing'
  }

  get lengthOctets(): number | null {
    if (this.#length !== null) return this.#length
    const length = this.#parts.table.getBig(this.slot, field.length)
    if (length >= 0 && !this.#isGone()) this.#length = length
    return this.#length
  }

  get storedOctets(): number {
    return this.#parts.table.getBig(this.slot, field.stored)
  }

  get isStale(): boolean {
    return this.#parts.table.hasFlag(this.slot, flag.stale) && !this.#isGone()
  }

  octets(): Uint8Array | null {
    if (!this.#isWhole && this.state !== 'whole') return null
    const length = this.lengthOctets
    if (length === null || length > SMALL_OCTETS) return null
    const isCopied = this.#copy(length)
    // Nobody holds the memory for us: it may have been given to another object in the meantime.
    if (!isCopied || this.#parts.table.get(this.slot, field.version) !== this.version) return null
    this.#parts.shared.counts[count.memoryHits]! += 1
    return scratch.subarray(0, length)
  }

  read(fromOctet: number, toOctet: number | null): Source | null {
    const { lock, shared, table } = this.#parts
    if (!table.pin(this.slot, this.generation)) return null
    const source = new Reader(this.#parts, this, {
      fromOctet,
      toOctet: toOctet ?? Number.POSITIVE_INFINITY,
    })
    const isOnDisk = table.get(this.slot, field.bodyOctets) === 0 && table.getBig(this.slot, field.stored) > 0
    shared.counts[isOnDisk ? count.diskHits : count.memoryHits]! += 1
    if (!isOnDisk || source.open()) return source
    // Its file is gone or was changed.
    lock.hold(() => table.drop(this.slot))
    source.cancel()
    return null
  }

  /** It was asked for. */
  touch(): void {
    const { entries, control: words } = this.#parts.shared
    const at = this.slot * ENTRY_WORDS
    const now = words[control.clock]!
    // Written only when it changes: what everyone asks for stays in every core's cache.
    if (entries[at + field.usedAt] !== now) entries[at + field.usedAt] = now
    if (entries[at + field.hits]! < HITS_LIMIT) entries[at + field.hits]! += 1
  }

  #isGone(): boolean {
    return this.#parts.table.get(this.slot, field.generation) !== this.generation
  }

  /** Copy the body to `scratch`. @returns false when it is not in memory, or not in one piece with itself */
  #copy(length: number): boolean {
    const { arena, shared, table } = this.#parts
    let block = table.get(this.slot, field.body)
    for (let at = 0; at < length; ) {
      if (block <= 0 || block >= shared.shape.units) return false
      const octets = arena.octets(block)
      if (octets <= 0 || octets > length - at) return false
      const from = arena.dataAt(block)
      shared.arena.copy(scratch, at, from, from + octets)
      at += octets
      block = arena.next(block)
    }
    return true
  }
}

/** Bodies up to this are given as octets: what a connection copies at once (`http/exchange.ts`). */
const SMALL_OCTETS = 4096
const scratch = Buffer.alloc(SMALL_OCTETS)
