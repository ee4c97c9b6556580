import { BLOCK_UNITS, control, LISTS, type Shared, UNIT_OCTETS } from './shared.ts'

/** Octets before the data of each block in use: next block, units, octets used, entry. */
export const HEADER_OCTETS = 16

/** Units that a block for so many octets takes. */
export function unitsFor(octets: number): number {
  return Math.ceil((octets + HEADER_OCTETS) / UNIT_OCTETS)
}

/**
 * Deals out the arena in runs of 1 to `BLOCK_UNITS` units. Free runs stand in lists by their length, so that a fitting
 * one is found at once (two-level segregated fit), and join their free neighbours. No run crosses a multiple of
 * `BLOCK_UNITS`, so that each such region can be walked from its start.
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
    const fitting = this.#listFrom(listOf(most - 1) + 1)
    if (fitting !== LISTS) return this.#cut(this.#first(fitting), most, slot)
    // Runs in the list of `most` itself may be a little shorter or longer.
    const near = this.#first(listOf(most))
    if (near !== 0 && this.units(near) >= most) return this.#cut(near, most, slot)
    const fresh = this.#takeFresh()
    if (fresh !== 0) return this.#cut(fresh, most, slot)
    if (least >= most) return 0
    const largest = this.#first(this.#listDown(listOf(most)))
    return largest !== 0 && this.units(largest) >= least
      ? this.#cut(largest, Math.min(most, this.units(largest)), slot)
      : 0
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
      if (this.#shared.marks[at] === 0) slots.add(this.slot(at))
      at += Math.max(this.units(at), 1)
    }
    return slots
  }

  /** Begin again with these blocks in use and all else free: after a worker died while it held the lock. */
  rebuild(used: readonly { readonly start: number; readonly units: number }[]): void {
    const end = this.#control[control.freshUnit]!
    this.#shared.marks.fill(0, 0, end)
    this.#control.fill(0, control.freeLists, control.freeLists + LISTS)
    this.#control.fill(0, control.freeListBits, control.freeListBits + LISTS / 32)
    this.#control[control.freeUnits] = this.#shared.shape.units - end
    let at = 1
    for (const { start, units } of [...used].sort((a, b) => a.start - b.start)) {
      if (start > at) this.#releaseRegions(at, start)
      at = start + units
    }
    if (end > at) this.#releaseRegions(at, end)
  }

  #first(list: number): number {
    return this.#control[control.freeLists + list]!
  }

  /** The first list from this one on that has a run; `LISTS` when there is none. */
  #listFrom(list: number): number {
    for (let word = list >> 5; word < LISTS / 32; word++) {
      const from = word === list >> 5 ? -1 << (list & 31) : -1
      const bits = this.#control[control.freeListBits + word]! & from
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits & -bits)
    }
    return LISTS
  }

  /** The last list up to this one that has a run; 0, which has none, when there is none. */
  #listDown(list: number): number {
    for (let word = list >> 5; word >= 0; word--) {
      const upTo = word === list >> 5 ? -1 >>> (31 - (list & 31)) : -1
      const bits = this.#control[control.freeListBits + word]! & upTo
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits)
    }
    return 0
  }

  #takeFresh(): number {
    const fresh = this.#control[control.freshUnit]!
    if (fresh >= this.#shared.shape.units) return 0
    this.#control[control.freshUnit] = fresh + BLOCK_UNITS
    // Unit 0 stays out, so that 0 can mean none.
    const start = Math.max(fresh, 1)
    if (fresh === 0) this.#control[control.freeUnits]! -= 1
    this.#push(start, fresh + BLOCK_UNITS - start)
    return fresh === 0 ? this.#takeFresh() : start
  }

  /** Make the begin of a free run a block in use; the rest of it stays free. */
  #cut(start: number, units: number, slot: number): number {
    const spare = this.units(start) - units
    this.#pull(start)
    if (spare > 0) this.#push(start + units, spare)
    this.#control[control.freeUnits]! -= units
    const at = start * WORDS_PER_UNIT
    this.#words[at] = 0
    this.#words[at + 1] = units
    this.#words[at + 2] = 0
    this.#words[at + 3] = slot
    return start
  }

  #releaseRegions(start: number, end: number): void {
    for (let at = start; at < end; ) {
      const next = Math.min(end, at - (at % BLOCK_UNITS) + BLOCK_UNITS)
      this.#release(at, next - at)
      at = next
    }
  }

  /** Free a run within a region, and join it with free neighbours. */
  #release(start: number, units: number): void {
    this.#control[control.freeUnits]! += units
    const { marks } = this.#shared
    let from = start
    let end = start + units
    if (from % BLOCK_UNITS > 0 && marks[from - 1]! & IS_LAST) {
      from = this.#words[(from - 1) * WORDS_PER_UNIT + 3]!
      this.#pull(from)
    }
    if (end % BLOCK_UNITS > 0 && marks[end]! & IS_FIRST) {
      const after = end
      end += this.units(after)
      this.#pull(after)
    }
    this.#push(from, end - from)
  }

  /** A free run: next and previous of its list, units; in its last unit, where it starts. */
  #push(start: number, units: number): void {
    const list = listOf(units)
    const next = this.#first(list)
    const at = start * WORDS_PER_UNIT
    this.#words[at] = next
    this.#words[at + 1] = units
    this.#words[at + 2] = 0
    this.#words[(start + units - 1) * WORDS_PER_UNIT + 3] = start
    if (next !== 0) this.#words[next * WORDS_PER_UNIT + 2] = start
    this.#control[control.freeLists + list] = start
    this.#control[control.freeListBits + (list >> 5)]! |= 1 << (list & 31)
    this.#shared.marks[start]! |= IS_FIRST
    this.#shared.marks[start + units - 1]! |= IS_LAST
  }

  #pull(start: number): void {
    const at = start * WORDS_PER_UNIT
    const next = this.#words[at]!
    const units = this.#words[at + 1]!
    const before = this.#words[at + 2]!
    const list = listOf(units)
    if (before === 0) this.#control[control.freeLists + list] = next
    else this.#words[before * WORDS_PER_UNIT] = next
    if (next !== 0) this.#words[next * WORDS_PER_UNIT + 2] = before
    if (before === 0 && next === 0) this.#control[control.freeListBits + (list >> 5)]! &= ~(1 << (list & 31))
    this.#shared.marks[start]! &= ~IS_FIRST
    this.#shared.marks[start + units - 1]! &= ~IS_LAST
  }
}

/** The list that a free run stands in: one for each length below 16, then eight for each doubling. */
function listOf(units: number): number {
  if (units < 16) return units
  const log = 31 - Math.clz32(units)
  return log * 8 - 16 + ((units >> (log - 3)) & 7)
}

const WORDS_PER_UNIT = UNIT_OCTETS / 4
/** Marks of the units at the ends of free runs. */
const IS_FIRST = 1
const IS_LAST = 2
