import { crc32 } from 'node:zlib'
import { kernelFile } from '#core/kernel-file.ts'
import type { FileSpan, Source } from '#http/exchange.ts'
import type { OpenFile } from './files.ts'
import { promote } from './filing.ts'
import { Outgrown } from './outgrown.ts'
import type { Parts } from './parts.ts'
import { field, flag, state } from './shared.ts'
import { SUMMED_OCTETS } from './wire/object-file.ts'
import { isPacked } from './wire/pack.ts'

export type Range = { readonly fromOctet: number; readonly toOctet: number }

/**
 * Reads a body that is pinned: what is in memory from there, the rest from its file; follows it while it grows.
 */
export class Reader implements Source {
  readonly #parts: Parts
  readonly #slot: number
  readonly #key: string
  readonly #toOctet: number
  #at: number
  /** the block that holds `#at`, or one before it, and the offset of its first octet */
  #block = 0
  #blockAt = 0
  #file: OpenFile | undefined
  /** what was read of the file last, and where that begins */
  #buffer: Buffer | undefined
  #window: Uint8Array = NOTHING
  #windowAt = 0
  #isReading = false
  #isDone = false

  /** @param object whose entry the caller has pinned; the reader lets go of it */
  constructor(parts: Parts, { slot, key }: { slot: number; key: string }, { fromOctet, toOctet }: Range) {
    this.#parts = parts
    this.#slot = slot
    this.#key = key
    this.#at = fromOctet
    this.#toOctet = toOctet
  }

  /** Open the file of an object whose body is not in memory. @returns false when that cannot be read */
  open(): boolean {
    if (this.#file !== undefined) return true
    const { files, table } = this.#parts
    this.#file = files?.acquire(this.#slot, table.hasFlag(this.#slot, flag.unproven)) ?? undefined
    return this.#file !== undefined
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#isDone) return null
    const { table, waits } = this.#parts
    // In this order: who fills changes them in the opposite one.
    const seen = table.get(this.#slot, field.wake)
    const condition = table.get(this.#slot, field.state)
    const end = Math.min(table.getBig(this.#slot, field.stored), this.#toOctet)
    if (this.#at < end) return this.#take(Math.min(limitOctets, end - this.#at))
    if (this.#at >= this.#toOctet || condition === state.whole) {
      this.cancel()
      return null
    }
    if (condition === state.growing) return waits.change(this.#slot, seen).then(() => this.read(limitOctets))
    const isOutgrown = table.hasFlag(this.#slot, flag.outgrown)
    return this.#breakOff(isOutgrown ? new Outgrown() : new Error('What was being stored broke off'))
  }

  span(limitOctets: number): FileSpan | undefined {
    if (kernelFile === undefined || this.#isDone || this.#isReading) return undefined
    const { table } = this.#parts
    const within = this.#at - this.#windowAt
    const isAtHand = within >= 0 && within < this.#window.length
    if (isAtHand || this.#at < table.get(this.#slot, field.bodyOctets)) return undefined
    const end = Math.min(table.getBig(this.#slot, field.stored), this.#toOctet)
    if (this.#at >= end || table.getBig(this.#slot, field.file) <= 0 || !this.open()) return undefined
    const { descriptor, place, sums } = this.#file!
    // What has to be checked first is read.
    if (sums !== null || isPacked(place)) return undefined
    const lengthOctets = Math.min(limitOctets, end - this.#at)
    if (!kernelFile.isInMemory(descriptor, this.#at, lengthOctets)) return undefined
    return { descriptor, position: this.#at, lengthOctets }
  }

  skip(octets: number): void {
    this.#at += octets
  }

  /** How far a fill is ahead of this reader; what is whole waits for nobody. */
  aheadOctets(): number {
    const { table } = this.#parts
    if (this.#isDone || table.get(this.#slot, field.state) !== state.growing) return 0
    return Math.max(0, Math.min(table.getBig(this.#slot, field.stored), this.#toOctet) - this.#at)
  }

  cancel(): void {
    if (this.#isDone) return
    this.#isDone = true
    if (!this.#isReading) this.#leave()
  }

  #leave(): void {
    if (this.#file !== undefined) this.#parts.files?.release(this.#file)
    unpin(this.#parts, this.#slot)
  }

  #breakOff(error: unknown): Promise<never> {
    this.cancel()
    return Promise.reject(error)
  }

  #take(most: number): Uint8Array | Promise<Uint8Array | null> {
    const inMemory = this.#parts.table.get(this.#slot, field.bodyOctets)
    if (this.#at < inMemory) return this.#takeFromMemory(Math.min(most, inMemory - this.#at))
    const within = this.#at - this.#windowAt
    if (within < 0 || within >= this.#window.length) return this.#readWindow(most)
    const octets = this.#window.subarray(within, within + most)
    this.#at += octets.length
    return octets
  }

  #takeFromMemory(most: number): Uint8Array {
    const { arena, shared, table } = this.#parts
    if (this.#block === 0) this.#block = table.get(this.#slot, field.body)
    while (this.#at >= this.#blockAt + arena.octets(this.#block)) {
      this.#blockAt += arena.octets(this.#block)
      this.#block = arena.next(this.#block)
    }
    const within = this.#at - this.#blockAt
    const octets = Math.min(most, arena.octets(this.#block) - within)
    const from = arena.dataAt(this.#block) + within
    this.#at += octets
    return shared.arena.subarray(from, from + octets)
  }

  /** Read the next part of the file, from a place where a sum begins. */
  async #readWindow(most: number): Promise<Uint8Array | null> {
    const { lock, log, table } = this.#parts
    if (!this.open()) {
      // A fill that fails takes its file away before all who follow have opened it.
      const isBroken = table.get(this.#slot, field.state) === state.failed
      const what = isBroken ? 'What was being stored broke off' : 'The file of a stored object cannot be read'
      return this.#breakOff(new Error(what))
    }
    const length = table.getBig(this.#slot, field.length)
    this.#isReading = true
    try {
      this.#window = await this.#nextWindow(this.#file!, length)
      if (this.#isDone) return null
      if (this.#window.length === length) {
        lock.hold(() => promote(this.#parts, this.#slot, this.#window))
      }
    } catch (error) {
      log('warning', 'cache-file-unreadable', { error: String(error) })
      lock.hold(() => table.drop(this.#slot))
      this.#isDone = true
      throw error
    } finally {
      this.#isReading = false
      if (this.#isDone) this.#leave()
    }
    return this.read(most)
  }

  #nextWindow(file: OpenFile, length: number): Promise<Uint8Array> {
    const { files, table } = this.#parts
    if (isPacked(file.place)) return files!.readPacked(file, length, crc32(this.#key))
    const from = this.#at - (this.#at % SUMMED_OCTETS)
    this.#windowAt = from
    this.#buffer ??= Buffer.allocUnsafeSlow(length < 0 ? SUMMED_OCTETS : Math.min(SUMMED_OCTETS, length))
    const end = Math.min(table.getBig(this.#slot, field.stored), from + SUMMED_OCTETS)
    return files!.readBlock(file, this.#buffer, from, end)
  }
}

const NOTHING = new Uint8Array(0)

/** Let go of an entry; the last to leave one that nobody can find frees it. */
export function unpin({ table, lock }: Parts, slot: number): void {
  if (table.unpin(slot)) lock.hold(() => table.free(slot))
}
