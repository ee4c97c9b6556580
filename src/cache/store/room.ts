import { type Arena, unitsFor } from './arena.ts'
import type { EncodedRecord } from './record.ts'
import { control, count, field, flag, type Shared, state, UNIT_OCTETS } from './shared.ts'
import type { Table } from './table.ts'
import { isPacked } from './wire/pack.ts'
import { nextRandom, SAMPLES, worth } from './worth.ts'

/** Finds room: takes from the arena, and drops what is worth least when there is none. Under the lock. */
export class Room {
  readonly #shared: Shared
  readonly #table: Table
  readonly #arena: Arena
  #random: number

  constructor(shared: Shared, table: Table, arena: Arena) {
    this.#shared = shared
    this.#table = table
    this.#arena = arena
    this.#random = (shared.seed[0]! ^ Math.imul(shared.worker + 1, 0x9e3779b1)) | 1
  }

  /**
   * A block for an entry.
   *
   * @param most units wanted
   * @param least units that will do when memory is in pieces; the same as `most` for what has to lie together
   * @returns 0 when even dropping others makes no room
   */
  take(slot: number, most: number, least: number): number {
    let block = this.#arena.take(most, most, slot)
    for (let tries = 0; block === 0 && tries < TRIES; tries++) {
      if (least < most && this.#isRoomy()) block = this.#arena.take(most, least, slot)
      if (block !== 0) break
      if (most >= REGION_FROM_UNITS || tries > TRIES / 2) this.#dropRegion(slot)
      else if (!this.dropOne()) break
      block = this.#arena.take(most, most, slot)
    }
    if (block === 0 && least < most) block = this.#arena.take(most, least, slot)
    if (block !== 0) this.#table.charge(slot, this.#arena.units(block))
    return block
  }

  /** Take a block for key, meta and tags and fill it in. @returns false when there is no room */
  writeRecord(slot: number, { octets, keyOctets, metaOctets }: EncodedRecord): boolean {
    const units = unitsFor(octets.length)
    const block = this.take(slot, units, units)
    if (block === 0) return false
    octets.copy(this.#shared.arena, this.#arena.dataAt(block))
    this.#arena.setOctets(block, octets.length)
    this.#table.set(slot, field.keyOctets, keyOctets)
    this.#table.set(slot, field.metaOctets, metaOctets)
    this.#table.set(slot, field.tagsOctets, octets.length - keyOctets - metaOctets)
    this.#table.set(slot, field.record, block)
    return true
  }

  /** A free entry; 0 when everything is in use, or waits for the keeper to remove its file. */
  takeSlot(): number {
    for (let tries = 0; tries < SLOT_TRIES; tries++) {
      const slot = this.#table.takeSlot()
      if (slot !== 0) return slot
      const victim = this.#leastWorthy((at) => this.#isIdle(at))
      if (victim === 0) return 0
      this.evict(victim)
    }
    return 0
  }

  /** Drop the object that is worth least of some that chance picks. @returns false when none can go */
  dropOne(): boolean {
    // What lies on disk alone takes next to nothing here: only when there is nothing else.
    const victim =
      this.#leastWorthy((slot) => this.#isIdle(slot) && this.#takesMemory(slot)) ||
      this.#leastWorthy((slot) => this.#isIdle(slot))
    if (victim !== 0) this.#makeRoom(victim)
    return victim !== 0
  }

  /** Count so much more of the disk for an entry, in place of others. @returns false when there is no room */
  takeDisk(slot: number, octets: number): boolean {
    const budgetOctets = this.#shared.shape.disk?.budgetOctets ?? 0
    const used = () => Number(Atomics.load(this.#shared.controlBig, control.diskOctets >> 1))
    if (octets > budgetOctets) return false
    for (let tries = 0; used() + octets > budgetOctets; tries++) {
      if (tries < DISK_TRIES && this.dropFile() === 'dropped') continue
      this.#shared.control[control.diskWanted] = Math.min(octets, Math.floor(budgetOctets / 4), MOST_WANTED)
      this.#table.ringKeeper()
      if (tries >= DISK_TRIES || !this.#dropOwnFile()) return false
    }
    this.#table.chargeDisk(slot, octets)
    return true
  }

  /**
   * Drop what is worth least on the disk.
   *
   * @returns `packed`: it lies in a pack, and room is made only by giving up a whole one; `none` when none can go
   */
  dropFile(): 'dropped' | 'packed' | 'none' {
    const victim = this.#leastWorthy((slot) => this.#isOnDisk(slot), true)
    if (victim === 0) return 'none'
    if (isPacked(this.#table.getBig(victim, field.file))) return 'packed'
    this.evict(victim)
    return 'dropped'
  }

  /** What keeping an object on the disk is worth. */
  diskWorth(slot: number): number {
    return this.#worth(slot, true)
  }

  /** Drop an object to make room. */
  evict(slot: number): void {
    this.#table.evict(slot)
    this.#shared.counts[count.evictions]! += 1
  }

  #isRoomy(): boolean {
    return this.#shared.control[control.freeUnits]! * SLACK > this.#shared.shape.units
  }

  /** Drop the least worthy of the objects that have a file of their own. @returns false when none can go */
  #dropOwnFile(): boolean {
    const isOwn = (slot: number): boolean => !isPacked(this.#table.getBig(slot, field.file))
    const victim = this.#leastWorthy((slot) => this.#isOnDisk(slot) && isOwn(slot), true)
    if (victim !== 0) this.evict(victim)
    return victim !== 0
  }

  #isOnDisk(slot: number): boolean {
    return this.#isIdle(slot) && this.#table.hasFlag(slot, flag.onDisk)
  }

  /** The body leaves memory; the object only when its body is not on disk. */
  #makeRoom(slot: number): void {
    if (this.#table.hasFlag(slot, flag.onDisk) && this.#table.get(slot, field.body) !== 0) {
      this.#table.freeBody(slot)
      return
    }
    this.evict(slot)
  }

  /** A large block takes the place of the least worthy neighbourhood, not of the least worthy objects here and there. */
  #dropRegion(newcomer: number): void {
    let best: Set<number> | undefined
    let least = Number.POSITIVE_INFINITY
    for (let sample = 0; sample < REGION_SAMPLES; sample++) {
      const slots = this.#arena.slotsAround(this.#chance(this.#shared.control[control.freshUnit]!))
      slots.delete(newcomer)
      const idle = new Set([...slots].filter((slot) => this.#isIdle(slot) && this.#takesMemory(slot)))
      const sum = [...idle].reduce((total, slot) => total + this.#worth(slot, false), 0)
      if (idle.size === 0 || sum >= least) continue
      best = idle
      least = sum
    }
    for (const slot of best ?? []) this.#makeRoom(slot)
  }

  #leastWorthy(mayGo: (slot: number) => boolean, byFile = false): number {
    const end = this.#table.end()
    let victim = 0
    let least = Number.POSITIVE_INFINITY
    let seen = 0
    for (let draws = 0; seen < SAMPLES && draws < DRAWS; draws++) {
      const slot = 1 + this.#chance(end - 1)
      // What a reader left when the lock was busy.
      if (this.#isLeftOver(slot)) this.#table.drop(slot)
      if (!mayGo(slot)) continue
      seen++
      const value = this.#worth(slot, byFile)
      if (value >= least) continue
      victim = slot
      least = value
    }
    return victim
  }

  #isLeftOver(slot: number): boolean {
    return this.#table.get(slot, field.linked) === 0 || this.#table.get(slot, field.state) === state.failed
  }

  #takesMemory(slot: number): boolean {
    return this.#table.get(slot, field.body) !== 0 || !this.#table.hasFlag(slot, flag.onDisk)
  }

  #isIdle(slot: number): boolean {
    return (
      slot !== 0 &&
      this.#table.get(slot, field.state) === state.whole &&
      this.#table.get(slot, field.linked) === 1 &&
      !this.#table.isPinned(slot)
    )
  }

  #worth(slot: number, byFile: boolean): number {
    const idle = this.#shared.control[control.clock]! - this.#table.get(slot, field.usedAt)
    const octets = byFile
      ? this.#table.getBig(slot, field.length)
      : this.#table.get(slot, field.units) * UNIT_OCTETS
    return worth(this.#table.get(slot, field.hits), Math.max(0, idle), octets)
  }

  #chance(below: number): number {
    this.#random = nextRandom(this.#random)
    return (this.#random >>> 0) % Math.max(below, 1)
  }
}

/** One object in the place of so many others at most. */
const TRIES = 256
/** An entry with a file comes back later: not many objects go for one that needs a place now. */
const SLOT_TRIES = 4
/** Blocks of 32 KiB and more: small objects that go at random would not leave such a hole. */
const REGION_FROM_UNITS = 256
const REGION_SAMPLES = 4
/** Files dropped for one object at most: a large one takes the place of many. */
const DISK_TRIES = 4096
/** A word of the control block holds it. */
const MOST_WANTED = 2 ** 30
/** With more than this part of memory free, a body is stored in pieces rather than dropping more. */
const SLACK = 32
/** A nearly empty table has few objects to find. */
const DRAWS = 64 * SAMPLES
