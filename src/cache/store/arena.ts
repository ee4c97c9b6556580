import { BLOCK_UNITS, control, ORDERS, type Shared, UNIT_OCTETS } from './shared.ts'

/** Octets before the data of each block in use: next block, units, octets used, entry. */
export const HEADER_OCTETS = 16

/** Units that a block for so many octets takes. */
export function unitsFor(octets: number): number {
  return Math.ceil((octets + HEADER_OCTETS) / UNIT_OCTETS)
}

/**
 * Deals out the arena in blocks of 1 to `BLOCK_UNITS` units: a buddy allocator that gives back what a block has too
 * much. No block crosses a multiple of `BLOCK_UNITS`, so that each such region can be walked from its start.
 *
 * Under the lock, except for reading the words of a block in use.
 */
export class Arena {
  readonly #shared: Shared
  readonly #words: Int32Array
  readonly #control: Int32Array

  constructor(shared: Shared) {
    this.#shared = shared
    this.#words = shared.arenaWords
    this.#control = shared.control
  }

  /**
   * Take a block for an entry.
   *
   * @param most units wanted, 1 to `BLOCK_UNITS`
   * @param least what will do when there is no room for `most` in one piece
   * @returns its first unit; 0 when there is no room
   */
  take(most: number, least: number, slot: number): number {
    const wantedOrder = 32 - Math.clz32(most - 1)
    for (let order = wantedOrder; order < ORDERS; order++) {
      if (this.#first(order) !== 0) return this.#cut(this.#first(order), most, slot)
    }
    const fresh = this.#takeFresh()
    if (fresh !== 0) return this.#cut(fresh, most, slot)
    for (let order = wantedOrder - 1; 1 << order >= least && order >= 0; order--) {
      if (this.#first(order) !== 0) return this.#cut(this.#first(order), 1 << order, slot)
    }
    return 0
  }

  /** Give a block back. */
  give(start: number): void {
    this.#release(start, this.units(start))
  }

  /** Give back the units of a block that its octets do not need. */
  trim(start: number): void {
    const units = unitsFor(this.octets(start))
    const spare = this.units(start) - units
    if (spare <= 0) return
    this.#words[start * WORDS_PER_UNIT + 1] = units
    this.#release(start + units, spare)
  }

  next(start: number): number {
    return this.#words[start * WORDS_PER_UNIT]!
  }

  units(start: number): number {
    return this.#words[start * WORDS_PER_UNIT + 1]!
  }

  octets(start: number): number {
    return this.#words[start * WORDS_PER_UNIT + 2]!
  }

  slot(start: number): number {
    return this.#words[start * WORDS_PER_UNIT + 3]!
  }

  setNext(start: number, next: number): void {
    this.#words[start * WORDS_PER_UNIT] = next
  }

  setOctets(start: number, octets: number): void {
    this.#words[start * WORDS_PER_UNIT + 2] = octets
  }

  /** Octets that fit in a block. */
  roomOctets(start: number): number {
    return this.units(start) * UNIT_OCTETS - HEADER_OCTETS
  }

  /** Where in the arena the data of a block begins. */
  dataAt(start: number): number {
    return start * UNIT_OCTETS + HEADER_OCTETS
  }

  /** The entries that have a block in the region of `BLOCK_UNITS` around a unit. */
  slotsAround(unit: number): Set<number> {
    const slots = new Set<number>()
    const from = unit - (unit % BLOCK_UNITS)
    const end = Math.min(from + BLOCK_UNITS, this.#control[control.freshUnit]!)
    // Unit 0 belongs to nobody.
    for (let at = Math.max(from, 1); at < end; ) {
      const order = this.#shared.orders[at]!
      if (order === 0) slots.add(this.slot(at))
      at += order === 0 ? Math.max(this.units(at), 1) : 1 << (order - 1)
    }
    return slots
  }

  /** Begin again with these blocks in use and all else free: after a worker died while it held the lock. */
  rebuild(used: readonly { readonly start: number; readonly units: number }[]): void {
    const end = this.#control[control.freshUnit]!
    this.#shared.orders.fill(0, 0, end)
    this.#control.fill(0, control.freeBlocks, control.freeBlocks + ORDERS)
    this.#control[control.freeUnits] = this.#shared.shape.units - end
    let at = end === 0 ? 0 : 1
    for (const { start, units } of [...used].sort((a, b) => a.start - b.start)) {
      if (start > at) this.#release(at, start - at)
      at = start + units
    }
    if (end > at) this.#release(at, end - at)
  }

  #first(order: number): number {
    return this.#control[control.freeBlocks + order]!
  }

  #takeFresh(): number {
    const fresh = this.#control[control.freshUnit]!
    if (fresh >= this.#shared.shape.units) return 0
    this.#control[control.freshUnit] = fresh + BLOCK_UNITS
    if (fresh > 0) {
      this.#push(fresh, ORDERS - 1)
      return fresh
    }
    this.#control[control.freeUnits]! -= 1
    for (let order = 0; order < ORDERS - 1; order++) this.#push(1 << order, order)
    return this.#takeFresh()
  }

  /** Make a free block one in use, `units` long; the rest of it stays free. */
  #cut(start: number, units: number, slot: number): number {
    if (start === 0) return 0
    const order = this.#shared.orders[start]! - 1
    this.#pull(start, order)
    this.#control[control.freeUnits]! -= 1 << order
    if (units < 1 << order) this.#release(start + units, (1 << order) - units)
    const at = start * WORDS_PER_UNIT
    this.#words[at] = 0
    this.#words[at + 1] = units
    this.#words[at + 2] = 0
    this.#words[at + 3] = slot
    return start
  }

  /** Free a run of units: as the powers of two that it is made of, each joined with its other half when that is free. */
  #release(start: number, units: number): void {
    this.#control[control.freeUnits]! += units
    const end = start + units
    for (let at = start; at < end; ) {
      let order = 0
      while (order < ORDERS - 1 && at % (1 << (order + 1)) === 0 && at + (1 << (order + 1)) <= end) order++
      const size = 1 << order
      let block = at
      for (; order < ORDERS - 1; order++) {
        const half = block ^ (1 << order)
        if (half === 0 || this.#shared.orders[half] !== order + 1) break
        this.#pull(half, order)
        block = Math.min(block, half)
      }
      this.#push(block, order)
      at += size
    }
  }

  #push(block: number, order: number): void {
    const first = this.#first(order)
    this.#words[block * WORDS_PER_UNIT] = first
    this.#words[block * WORDS_PER_UNIT + 1] = 0
    if (first !== 0) this.#words[first * WORDS_PER_UNIT + 1] = block
    this.#control[control.freeBlocks + order] = block
    this.#shared.orders[block] = order + 1
  }

  #pull(block: number, order: number): void {
    const next = this.#words[block * WORDS_PER_UNIT]!
    const before = this.#words[block * WORDS_PER_UNIT + 1]!
    if (before === 0) this.#control[control.freeBlocks + order] = next
    else this.#words[before * WORDS_PER_UNIT] = next
    if (next !== 0) this.#words[next * WORDS_PER_UNIT + 1] = before
    this.#shared.orders[block] = 0
  }
}

const WORDS_PER_UNIT = UNIT_OCTETS / 4
