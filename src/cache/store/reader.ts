import type { Source } from '#http/exchange.ts'
import type { Parts } from './parts.ts'
import { field, state } from './shared.ts'

export type Range = { readonly fromOctet: number; readonly toOctet: number }

/** Reads a body that is pinned, from memory, and follows it while it grows. */
export class Reader implements Source {
  readonly #parts: Parts
  readonly #slot: number
  readonly #toOctet: number
  #at: number
  /** the block that holds `#at`, or one before it, and the offset of its first octet */
  #block = 0
  #blockAt = 0
  #isDone = false

  /** @param slot an entry that the caller has pinned; the reader lets go of it */
  constructor(parts: Parts, slot: number, { fromOctet, toOctet }: Range) {
    this.#parts = parts
    this.#slot = slot
    this.#at = fromOctet
    this.#toOctet = toOctet
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
    this.cancel()
    return Promise.reject(new Error('What was being stored broke off'))
  }

  cancel(): void {
    if (this.#isDone) return
    this.#isDone = true
    unpin(this.#parts, this.#slot)
  }

  #take(most: number): Uint8Array {
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
}

/** Let go of an entry; the last to leave one that nobody can find frees it. */
export function unpin({ table, lock }: Parts, slot: number): void {
  if (table.unpin(slot)) lock.hold(() => table.free(slot))
}
