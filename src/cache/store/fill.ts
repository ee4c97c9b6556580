import { unitsFor } from './arena.ts'
import type { SharedObject } from './object.ts'
import type { Parts } from './parts.ts'
import { unpin } from './reader.ts'
import { BLOCK_UNITS, field, state } from './shared.ts'
import type { Fill } from './store.ts'

/** Fills an object in memory; the entry is pinned and owned by this worker until the end. */
export class MemoryFill implements Fill {
  readonly object: SharedObject
  readonly #parts: Parts
  readonly #slot: number
  readonly #lengthOctets: number | null
  #stored = 0
  #block = 0
  #isOpen = true

  constructor(parts: Parts, object: SharedObject, lengthOctets: number | null) {
    this.#parts = parts
    this.object = object
    this.#slot = object.slot
    this.#lengthOctets = lengthOctets
  }

  write(octets: Uint8Array): void {
    if (!this.#isOpen || octets.length === 0) return
    const { arena, shared, table } = this.#parts
    const whole = this.#stored + octets.length
    if (whole > (this.#lengthOctets ?? shared.shape.memoryObjectOctets)) return this.fail()
    for (let at = 0; at < octets.length; ) {
      if (this.#roomOctets() === 0 && !this.#grow(octets.length - at)) return this.fail()
      const used = arena.octets(this.#block)
      const part = octets.subarray(at, at + this.#roomOctets())
      shared.arena.set(part, arena.dataAt(this.#block) + used)
      arena.setOctets(this.#block, used + part.length)
      at += part.length
    }
    this.#stored = whole
    table.set(this.#slot, field.bodyOctets, whole)
    table.setBig(this.#slot, field.stored, whole)
    table.wake(this.#slot)
  }

  end(): void {
    if (!this.#isOpen) return
    if (this.#lengthOctets !== null && this.#lengthOctets !== this.#stored) return this.fail()
    this.#isOpen = false
    const { lock, table } = this.#parts
    table.setBig(this.#slot, field.length, this.#stored)
    // A block that is not trimmed only wastes room.
    lock.hold(() => this.#trim())
    table.set(this.#slot, field.owner, 0)
    table.set(this.#slot, field.state, state.whole)
    table.wake(this.#slot)
    unpin(this.#parts, this.#slot)
  }

  fail(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { lock, table } = this.#parts
    // First without the lock: nobody may take it for something that still grows.
    table.set(this.#slot, field.state, state.failed)
    lock.hold(() => table.breakOff(this.#slot))
    table.wake(this.#slot)
    unpin(this.#parts, this.#slot)
  }

  #roomOctets(): number {
    return this.#block === 0
      ? 0
      : this.#parts.arena.roomOctets(this.#block) - this.#parts.arena.octets(this.#block)
  }

  /** Append a block: for the rest when the length is known, else for as much again as there is. */
  #grow(wantedOctets: number): boolean {
    const { arena, lock, room, table } = this.#parts
    const restOctets =
      this.#lengthOctets === null ? this.#stored + wantedOctets : this.#lengthOctets - this.#stored
    const most = Math.min(BLOCK_UNITS, unitsFor(Math.max(wantedOctets, restOctets)))
    const block = lock.hold(() => {
      const taken = room.take(
        this.#slot,
        most,
        Math.min(most, most >= LARGE_UNITS ? LARGE_UNITS : SMALL_UNITS),
      )
      if (taken === 0) return 0
      if (this.#block === 0) table.set(this.#slot, field.body, taken)
      else arena.setNext(this.#block, taken)
      return taken
    })
    if (!block) return false
    this.#block = block
    return true
  }

  #trim(): void {
    const { arena, table } = this.#parts
    if (this.#block === 0) return
    const before = arena.units(this.#block)
    arena.trim(this.#block)
    table.charge(this.#slot, arena.units(this.#block) - before)
  }
}

/** The pieces that a body is stored in when memory is in pieces: 512 octets, and 16 KiB for large ones. */
const SMALL_UNITS = 4
const LARGE_UNITS = 128
