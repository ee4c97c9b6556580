import { unitsFor } from './arena.ts'
import type { FileWriter } from './file-writer.ts'
import { beginFile, completeFile, writeBody } from './filing.ts'
import type { SharedObject } from './object.ts'
import type { Parts } from './parts.ts'
import { unpin } from './reader.ts'
import { BLOCK_UNITS, field, flag, state } from './shared.ts'
import type { Fill } from './store.ts'

/**
 * Fills an object: in memory while it fits there, else in a file behind which its readers follow. The entry is pinned
 * and owned by this worker until the end.
 */
export class SharedFill implements Fill {
  readonly object: SharedObject
  readonly #parts: Parts
  readonly #slot: number
  readonly #lengthOctets: number | null
  #stored = 0
  #block = 0
  #writer: FileWriter | undefined
  #pending: Promise<void> = Promise.resolve()
  #isOpen = true

  constructor(parts: Parts, object: SharedObject, lengthOctets: number | null) {
    this.#parts = parts
    this.object = object
    this.#slot = object.slot
    this.#lengthOctets = lengthOctets
  }

  /** Take room on the disk for what is known to be too large for memory. @returns false when there is none: it is over */
  open(): boolean {
    const lengthOctets = this.#lengthOctets ?? 0
    if (lengthOctets <= this.#parts.shared.shape.memoryObjectOctets) return true
    this.#writer = beginFile(this.#parts, this.#slot, lengthOctets)
    if (this.#writer === undefined) this.fail()
    return this.#writer !== undefined
  }

  write(octets: Uint8Array): void | Promise<void> {
    if (!this.#isOpen || octets.length === 0) return
    const whole = this.#stored + octets.length
    if (whole > (this.#lengthOctets ?? Number.POSITIVE_INFINITY)) return this.fail()
    if (this.#writer === undefined) {
      const isSmall = (this.#lengthOctets ?? whole) <= this.#parts.shared.shape.memoryObjectOctets
      const kept = isSmall ? this.#keep(octets) : 0
      this.#arrive(kept)
      if (kept === octets.length) return
      this.#writer = beginFile(this.#parts, this.#slot, this.#lengthOctets ?? whole)
      if (this.#writer === undefined) return this.#outgrow()
      return this.#append(this.#writer, octets.subarray(kept), true)
    }
    return this.#append(this.#writer, octets, false)
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
    this.#finish()
  }

  fail(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    const { lock, table } = this.#parts
    // First without the lock: nobody may take it for something that still grows.
    table.set(this.#slot, field.state, state.failed)
    lock.hold(() => table.breakOff(this.#slot))
    table.wake(this.#slot)
    const writer = this.#writer
    void this.#pending.then(() => writer?.abandon()).finally(() => unpin(this.#parts, this.#slot))
  }

  /** There is no room: readers may have the rest from elsewhere. */
  #outgrow(): void {
    const { lock, table } = this.#parts
    if (this.#isOpen) lock.hold(() => table.setFlags(this.#slot, flag.outgrown, 0))
    this.fail()
  }

  /** Append to what is in memory. @returns how many octets found room */
  #keep(octets: Uint8Array): number {
    const { arena, shared } = this.#parts
    let at = 0
    while (at < octets.length) {
      if (this.#roomOctets() === 0 && !this.#grow(octets.length - at)) break
      const used = arena.octets(this.#block)
      const part = octets.subarray(at, at + this.#roomOctets())
      shared.arena.set(part, arena.dataAt(this.#block) + used)
      arena.setOctets(this.#block, used + part.length)
      at += part.length
    }
    this.#parts.table.set(this.#slot, field.bodyOctets, this.#stored + at)
    return at
  }

  #arrive(octets: number): void {
    this.#stored += octets
    this.#parts.table.setBig(this.#slot, field.stored, this.#stored)
    this.#parts.table.wake(this.#slot)
  }

  /** Append to the file, after what is in memory when that is the first. */
  #append(writer: FileWriter, octets: Uint8Array, isFirst: boolean): Promise<void> {
    const write = async (): Promise<void> => {
      const { files, lock, room, table } = this.#parts
      try {
        if (isFirst) await writeBody(this.#parts, this.#slot, writer)
        const missing = this.#stored + octets.length - table.getBig(this.#slot, field.fileOctets)
        const step = Math.max(missing, DISK_STEP_OCTETS)
        if (missing > 0 && !lock.hold(() => room.takeDisk(this.#slot, step))) return this.#outgrow()
        await writer.write(octets)
      } catch (error) {
        files?.turnOff(error)
        return this.#outgrow()
      }
      if (this.#isOpen) this.#arrive(octets.length)
    }
    this.#pending = write()
    return this.#pending
  }

  /** What memory holds goes to the disk behind our back; what lies in a file is completed. */
  #finish(): void {
    const writer = this.#writer
    if (writer !== undefined) {
      const { finishing } = this.#parts
      const finished = completeFile(this.#parts, this.#slot, writer).finally(() => {
        finishing.delete(finished)
        unpin(this.#parts, this.#slot)
      })
      finishing.add(finished)
      return
    }
    const { files, lock, table } = this.#parts
    if (files?.isOn()) lock.hold(() => table.addChore(this.#slot))
    unpin(this.#parts, this.#slot)
  }

  #roomOctets(): number {
    const { arena } = this.#parts
    return this.#block === 0 ? 0 : arena.roomOctets(this.#block) - arena.octets(this.#block)
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
/** Disk is counted in steps when the length of a body is not known. */
const DISK_STEP_OCTETS = 1_048_576
