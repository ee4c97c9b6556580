import { type Log, silent } from '#core/log.ts'
import { SharedFill } from './fill.ts'
import { hashKey, hashStem } from './hash.ts'
import { Keeper } from './keeper.ts'
import { Leads } from './leads.ts'
import { Lookup } from './lookup.ts'
import { SharedObject } from './object.ts'
import { createParts, type Parts } from './parts.ts'
import { purge } from './purge.ts'
import { type EncodedRecord, encodeRecord } from './record.ts'
import { control, count, field, flag, type StoreHandle, state, WORKERS } from './shared.ts'
import { statsOf } from './stats.ts'
import type {
  CachedObject,
  CacheStats,
  CacheStore,
  CreateOptions,
  Fill,
  Lead,
  PurgeReceipt,
  PurgeSelector,
} from './store.ts'
import { tagBits } from './tag-bits.ts'
import { droppedHits } from './worth.ts'

export type OpenOptions = {
  /** number of this worker, 0 to `WORKERS - 1`, used by no other at the same time */
  readonly worker: number
  /** whether this one keeps the disk tier for all: one must, before the others open the store; it reads the index */
  readonly keepsDisk?: boolean
  readonly log?: Log
}

/**
 * Open a store.
 *
 * @throws {RangeError} when there is no such number
 */
export function openStore(
  handle: StoreHandle,
  { worker, keepsDisk = false, log = silent }: OpenOptions,
): CacheStore {
  if (!(worker >= 0 && worker < WORKERS))
    throw new RangeError(`Worker ${worker} is not one of 0 to ${WORKERS - 1}`)
  const parts = createParts(handle, worker, log)
  const keeper =
    keepsDisk && parts.files !== null && handle.shape.disk !== null
      ? new Keeper(parts, parts.files, handle.shape.disk)
      : null
  keeper?.start()
  return new SharedStore(parts, keeper)
}

class SharedStore implements CacheStore {
  readonly #parts: Parts
  readonly #lookup: Lookup
  readonly #leads: Leads
  readonly #keeper: Keeper | null
  readonly #hash = new Int32Array(2)

  constructor(parts: Parts, keeper: Keeper | null) {
    this.#parts = parts
    this.#keeper = keeper
    this.#lookup = new Lookup(parts)
    this.#leads = new Leads(parts.shared, parts.lock)
  }

  find(key: string): readonly CachedObject[] {
    return this.#lookup.find(key)
  }

  create(key: string, options: CreateOptions): Fill | null {
    const { files, lock, shared } = this.#parts
    if ((options.lengthOctets ?? 0) > shared.shape.memoryObjectOctets && !files?.isOn()) return null
    const record = encodeRecord(key, options.meta, options.tags)
    if (record === null) return null
    hashKey(key, shared.seed, this.#hash)
    const object = lock.hold(() => this.#begin(key, record, options))
    if (object === null) return null
    const fill = new SharedFill(this.#parts, object, options.lengthOctets)
    if (!fill.open()) return null
    this.#lookup.keep(object)
    shared.counts[count.fills]! += 1
    return fill
  }

  update(object: CachedObject, meta: string): void {
    if (!(object instanceof SharedObject)) return
    const { lock, table } = this.#parts
    const record = encodeRecord(object.key, meta, object.tags)
    const isDone = lock.hold(() => record !== null && this.#replaceRecord(object, record))
    // An answer without what was learnt is worse than none.
    if (!isDone && table.get(object.slot, field.generation) === object.generation) this.remove(object)
  }

  remove(object: CachedObject): void {
    if (!(object instanceof SharedObject)) return
    const { lock, table } = this.#parts
    const isGone = lock.hold(() => {
      if (table.get(object.slot, field.generation) === object.generation) table.drop(object.slot)
      return true
    })
    // A worker died with the lock. Rather an error for its readers than a response that nobody may have any more.
    if (isGone === null) table.set(object.slot, field.state, state.failed)
  }

  epoch(): number {
    return Atomics.load(this.#parts.shared.control, control.epoch)
  }

  purge(selector: PurgeSelector, mode: 'hard' | 'soft'): Promise<PurgeReceipt> {
    return purge(this.#parts, this.#lookup, selector, mode)
  }

  lead(key: string): Lead | null {
    return this.#leads.lead(key)
  }

  follow(key: string, waitMs: number): Promise<void> {
    return this.#leads.follow(key, waitMs)
  }

  list(options: { prefix?: string; limit: number; after?: string }): readonly CachedObject[] {
    return this.#lookup.list(options)
  }

  stats(): CacheStats {
    return statsOf(this.#parts)
  }

  forgetWorker(worker: number): void {
    const { lock, table } = this.#parts
    lock.inherit(worker, () => table.rebuild())
    const isDone = lock.hold(() => {
      table.forgetWorker(worker)
      return true
    })
    this.#leads.forgetWorker(worker)
    // Another worker died too, and holds the lock until main hears of that.
    if (isDone === null) setTimeout(() => this.forgetWorker(worker), RETRY_MS)
  }

  async close(): Promise<void> {
    await this.#keeper?.close()
  }

  /** Make an entry with its record, pinned and owned by this worker; null when there is no room or it was purged. */
  #begin(key: string, record: EncodedRecord, options: CreateOptions): SharedObject | null {
    const { purges, room, shared, table } = this.#parts
    if (purges.isPurgedSince(options.epoch, key, options.tags)) return null
    const slot = room.takeSlot()
    if (slot === 0) return null
    if (!room.writeRecord(slot, record)) {
      table.giveSlot(slot)
      return null
    }
    const [low, high] = this.#hash
    table.set(slot, field.hashLow, low!)
    table.set(slot, field.hashHigh, high!)
    table.set(slot, field.stem, hashStem(key, shared.seed))
    table.set(slot, field.tagBits, tagBits(options.tags))
    table.set(slot, field.hits, 1 + droppedHits(shared.ghosts, low!))
    table.set(slot, field.usedAt, Atomics.add(shared.control, control.clock, 1) + 1)
    table.set(slot, field.owner, shared.worker + 1)
    table.setBig(slot, field.length, options.lengthOctets ?? -1)
    table.set(slot, field.state, state.growing)
    const generation = table.get(slot, field.generation)
    const version = table.get(slot, field.version)
    table.pin(slot, generation)
    table.link(slot)
    // Not read back: from now on another worker may change it.
    return new SharedObject(this.#parts, {
      slot,
      generation,
      version,
      key,
      meta: options.meta,
      tags: options.tags,
    })
  }

  #replaceRecord(object: SharedObject, record: EncodedRecord): boolean {
    const { arena, room, table } = this.#parts
    const { slot } = object
    if (table.get(slot, field.generation) !== object.generation || table.get(slot, field.linked) === 0)
      return false
    // Pinned, so that finding room does not drop the object itself.
    if (!table.pin(slot, object.generation)) return false
    const old = table.get(slot, field.record)
    // Odd: whoever reads the record now looks again.
    table.set(slot, field.version, table.get(slot, field.version) + 1)
    const isDone = room.writeRecord(slot, record)
    table.set(slot, field.version, table.get(slot, field.version) + 1)
    if (isDone) {
      table.setFlags(slot, 0, flag.stale)
      table.charge(slot, -arena.units(old))
      arena.give(old)
      if (table.hasFlag(slot, flag.onDisk)) table.addChore(slot)
    }
    table.unpin(slot)
    return isDone
  }
}

/** Long after a worker's death is heard of by main. */
const RETRY_MS = 100
