import type { Arena } from './arena.ts'
import { control, ENTRY_WORDS, field, flag, type Shared, state } from './shared.ts'
import { rememberDropped } from './worth.ts'

/** Objects under one key: with more, the oldest goes, so that no client makes a key slow to look up. */
export const VARIANTS = 64

/**
 * The entries, their chains by hash, and who reads them. An entry can be freed when it is not linked and nobody has
 * it pinned. Under the lock, unless said otherwise.
 */
export class Table {
  readonly #shared: Shared
  readonly #arena: Arena
  readonly #words: Int32Array
  /** how often this worker has each entry pinned */
  readonly #pins: Uint32Array

  constructor(shared: Shared, arena: Arena) {
    this.#shared = shared
    this.#arena = arena
    this.#words = shared.entries
    this.#pins = new Uint32Array(shared.shape.entries)
  }

  /** Without the lock. */
  get(slot: number, word: number): number {
    return Atomics.load(this.#words, slot * ENTRY_WORDS + word)
  }

  set(slot: number, word: number, value: number): void {
    Atomics.store(this.#words, slot * ENTRY_WORDS + word, value)
  }

  /** Without the lock. @param word one of the 64-bit fields */
  getBig(slot: number, word: number): number {
    return Number(Atomics.load(this.#shared.entriesBig, (slot * ENTRY_WORDS + word) >> 1))
  }

  /** Without the lock. */
  setBig(slot: number, word: number, value: number): void {
    Atomics.store(this.#shared.entriesBig, (slot * ENTRY_WORDS + word) >> 1, BigInt(value))
  }

  /** The first entry that was never used: entries from 1 up to it may hold something. */
  end(): number {
    return Atomics.load(this.#shared.control, control.freshEntry)
  }

  /** Take a free entry, all zero but its counts of versions and generations; 0 when there is none. */
  takeSlot(): number {
    const words = this.#shared.control
    const slot = words[control.freeEntry]! || words[control.freshEntry]!
    if (slot >= this.#shared.shape.entries) return 0
    if (slot === words[control.freshEntry]) words[control.freshEntry] = slot + 1
    else words[control.freeEntry] = this.get(slot, field.next)
    const at = slot * ENTRY_WORDS
    const [version, generation] = [this.get(slot, field.version), this.get(slot, field.generation)]
    this.#words.fill(0, at, at + ENTRY_WORDS)
    this.set(slot, field.version, version)
    this.set(slot, field.generation, generation)
    return slot
  }

  /** Give an entry back that holds nothing any more. */
  giveSlot(slot: number): void {
    // Whoever walks a chain over it looks at the version after reading `next`.
    Atomics.add(this.#words, slot * ENTRY_WORDS + field.version, 2)
    this.set(slot, field.state, 0)
    this.set(slot, field.next, this.#shared.control[control.freeEntry]!)
    this.#shared.control[control.freeEntry] = slot
  }

  /** Let it be found, before older ones of the same key. */
  link(slot: number): void {
    const bucket = this.#bucketOf(slot)
    this.#keepVariants(slot, this.#shared.buckets[bucket]!)
    this.set(slot, field.next, this.#shared.buckets[bucket]!)
    this.set(slot, field.linked, 1)
    Atomics.store(this.#shared.buckets, bucket, slot)
    this.#shared.control[control.objects]! += 1
  }

  /** Nobody finds it from now on; freed at once or when the last reader leaves. @returns whether it could be found before */
  drop(slot: number): boolean {
    const wasLinked = this.get(slot, field.linked) === 1
    if (wasLinked) {
      this.set(slot, field.linked, 0)
      this.#shared.control[control.objects]! -= 1
      this.#unchain(slot)
    }
    this.free(slot)
    return wasLinked
  }

  /** Drop it to make room, and remember how often it was asked for. */
  evict(slot: number): void {
    rememberDropped(this.#shared.ghosts, this.get(slot, field.hashLow), this.get(slot, field.hits))
    this.drop(slot)
  }

  /** Free what an entry holds, unless it can be found or is pinned. */
  free(slot: number): void {
    if (!this.holds(slot) || this.get(slot, field.linked) === 1 || this.isPinned(slot)) return
    // Whoever pins looks at the generation afterwards: one of the two sees the other.
    Atomics.add(this.#words, slot * ENTRY_WORDS + field.generation, 1)
    if (this.isPinned(slot)) {
      Atomics.sub(this.#words, slot * ENTRY_WORDS + field.generation, 1)
      return
    }
    Atomics.add(this.#words, slot * ENTRY_WORDS + field.version, 2)
    this.#giveBlocks(slot, this.get(slot, field.body))
    const record = this.get(slot, field.record)
    this.set(slot, field.record, 0)
    if (record !== 0) this.#arena.give(record)
    this.chargeDisk(slot, -this.getBig(slot, field.fileOctets))
    if (this.getBig(slot, field.file) === 0 && !this.hasFlag(slot, flag.chore)) {
      this.giveSlot(slot)
      return
    }
    // The keeper removes the file, and then gives the entry back.
    this.set(slot, field.state, state.emptied)
    this.addChore(slot)
  }

  /** Whether an entry holds an object, found or not. Without the lock. */
  holds(slot: number): boolean {
    const now = this.get(slot, field.state)
    return now !== 0 && now !== state.emptied
  }

  /** Count octets of the disk budget for an entry. */
  chargeDisk(slot: number, octets: number): void {
    Atomics.add(this.#shared.controlBig, control.diskOctets >> 1, BigInt(octets))
    this.setBig(slot, field.fileOctets, this.getBig(slot, field.fileOctets) + octets)
  }

  /** Give back the memory of a body that is on disk too, unless someone reads it. */
  freeBody(slot: number): void {
    const [body, octets] = [this.get(slot, field.body), this.get(slot, field.bodyOctets)]
    this.set(slot, field.bodyOctets, 0)
    this.set(slot, field.body, 0)
    // Whoever pins looks at these words afterwards: one of the two sees the other.
    if (this.isPinned(slot)) {
      this.set(slot, field.body, body)
      this.set(slot, field.bodyOctets, octets)
      return
    }
    Atomics.add(this.#words, slot * ENTRY_WORDS + field.version, 2)
    this.#giveBlocks(slot, body)
  }

  charge(slot: number, units: number): void {
    this.set(slot, field.units, this.get(slot, field.units) + units)
  }

  /** The keeper of the disk has to look at it. */
  addChore(slot: number): void {
    const words = this.#shared.control
    if (!this.hasFlag(slot, flag.chore)) {
      this.setFlags(slot, flag.chore, 0)
      this.set(slot, field.nextChore, words[control.choreHead]!)
      words[control.choreHead] = slot
      Atomics.add(words, control.choreCount, 1)
    }
    Atomics.notify(words, control.choreCount)
  }

  /** Somebody waits for the keeper. Without the lock. */
  ringKeeper(): void {
    const words = this.#shared.control
    for (const word of [control.bell, control.choreCount]) {
      Atomics.add(words, word, 1)
      Atomics.notify(words, word)
    }
  }

  /** Without the lock. */
  hasFlag(slot: number, bit: number): boolean {
    return (this.get(slot, field.flags) & bit) !== 0
  }

  setFlags(slot: number, on: number, off: number): void {
    this.set(slot, field.flags, (this.get(slot, field.flags) | on) & ~off)
  }

  /** Octets arrived or the state changed. Without the lock. */
  wake(slot: number): void {
    const at = slot * ENTRY_WORDS + field.wake
    Atomics.add(this.#words, at, 1)
    Atomics.notify(this.#words, at)
  }

  /** Without the lock. */
  isPinned(slot: number): boolean {
    return (this.get(slot, field.pinned) | this.get(slot, field.pinned + 1)) !== 0
  }

  /** Keep what an entry holds in place for this worker. Without the lock. @returns false when it holds another object */
  pin(slot: number, generation: number): boolean {
    if (this.#pins[slot]!++ === 0) Atomics.or(this.#words, this.#pinWord(slot), this.#pinBit())
    if (this.get(slot, field.generation) === generation && this.holds(slot)) return true
    this.unpin(slot)
    return false
  }

  /** Without the lock. @returns whether it was the last pin of an entry that can be freed now */
  unpin(slot: number): boolean {
    if (--this.#pins[slot]! > 0) return false
    Atomics.and(this.#words, this.#pinWord(slot), ~this.#pinBit())
    return this.get(slot, field.linked) === 0 && this.holds(slot)
  }

  /** A worker died: its pins are gone, and what it was filling broke off. */
  forgetWorker(worker: number): void {
    for (let slot = 1; slot < this.end(); slot++) {
      if (!this.holds(slot)) continue
      Atomics.and(this.#words, slot * ENTRY_WORDS + field.pinned + (worker >> 5), ~(1 << (worker & 31)))
      if (this.get(slot, field.owner) === worker + 1) this.breakOff(slot)
      this.free(slot)
    }
  }

  /** The fill of an object has failed: its readers get an error, and nobody finds it. */
  breakOff(slot: number): void {
    this.set(slot, field.owner, 0)
    this.set(slot, field.state, state.failed)
    this.drop(slot)
    this.wake(slot)
  }

  /** A worker died while it held the lock: make everything anew that follows from the entries. */
  rebuild(): void {
    const words = this.#shared.control
    this.#shared.buckets.fill(0)
    words.fill(0, control.objects, control.objects + 1)
    words[control.freeEntry] = 0
    words[control.choreHead] = 0
    const used: { start: number; units: number }[] = []
    for (let slot = 1; slot < this.end(); slot++) {
      if (this.get(slot, field.state) === 0) this.giveSlot(slot)
      else this.#relink(slot, used)
    }
    this.#arena.rebuild(used)
  }

  #giveBlocks(slot: number, first: number): void {
    this.set(slot, field.body, 0)
    for (let block = first; block !== 0; ) {
      const next = this.#arena.next(block)
      this.charge(slot, -this.#arena.units(block))
      this.#arena.give(block)
      block = next
    }
  }

  #relink(slot: number, used: { start: number; units: number }[]): void {
    if (this.get(slot, field.version) % 2 !== 0) {
      // It was being changed: which record is right is not known.
      this.set(slot, field.version, this.get(slot, field.version) + 1)
      this.set(slot, field.record, 0)
      this.set(slot, field.linked, 0)
    }
    for (const first of [field.record, field.body]) {
      for (let block = this.get(slot, first); block !== 0; block = this.#arena.next(block)) {
        used.push({ start: block, units: this.#arena.units(block) })
      }
    }
    if (this.hasFlag(slot, flag.chore)) {
      this.setFlags(slot, 0, flag.chore)
      this.addChore(slot)
    }
    if (this.get(slot, field.linked) === 1) this.link(slot)
  }

  #keepVariants(slot: number, first: number): void {
    let same = 0
    let oldest = 0
    for (let at = first, steps = 0; at !== 0 && steps < CHAIN_LIMIT; at = this.get(at, field.next), steps++) {
      if (this.get(at, field.hashLow) !== this.get(slot, field.hashLow)) continue
      same++
      oldest = at
    }
    if (same >= VARIANTS) this.drop(oldest)
  }

  #unchain(slot: number): void {
    const next = this.get(slot, field.next)
    const bucket = this.#bucketOf(slot)
    let at = this.#shared.buckets[bucket]!
    if (at === slot) Atomics.store(this.#shared.buckets, bucket, next)
    for (let steps = 0; at !== 0 && at !== slot && steps < CHAIN_LIMIT; steps++) {
      const after = this.get(at, field.next)
      if (after === slot) this.set(at, field.next, next)
      at = after
    }
  }

  #bucketOf(slot: number): number {
    return this.get(slot, field.hashHigh) & (this.#shared.buckets.length - 1)
  }

  #pinWord(slot: number): number {
    return slot * ENTRY_WORDS + field.pinned + (this.#shared.worker >> 5)
  }

  #pinBit(): number {
    return 1 << (this.#shared.worker & 31)
  }
}

/** Far above what a bucket holds: an end for the walk, whatever the memory says. */
const CHAIN_LIMIT = 65_536
