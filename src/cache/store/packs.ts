import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { control, type DiskShape, type Shared } from './shared.ts'
import { PACKED_HEAD_OCTETS, packedAt, placeOf } from './wire/pack.ts'

/** One file of many small bodies. */
export type Pack = {
  readonly number: number
  /** of the file */
  octets: number
  /** of what the journal may name in it: with none left, the file goes */
  usedOctets: number
  /** entries that were put into it; some have left */
  readonly slots: number[]
  /** it is being given up */
  isLeaving: boolean
}

/** An object that is staged to be written: its octets begin there in what is written. */
export type Staged = { readonly slot: number; readonly generation: number; readonly at: number }

/** The packs of the disk tier, for the keeper, who alone appends to the newest of them and removes them. */
export class Packs {
  /** a pack is closed when it has so many octets */
  readonly packOctets: number
  readonly #shared: Shared
  readonly #folder: string
  readonly #packs = new Map<number, Pack>()
  #head: { readonly pack: Pack; readonly descriptor: number } | undefined
  #next = 1

  constructor({ folder, budgetOctets }: DiskShape, shared: Shared) {
    this.#shared = shared
    this.#folder = join(folder, 'packs')
    this.packOctets = Math.min(Math.max(Math.floor(budgetOctets / 32), LEAST_OCTETS), MOST_OCTETS)
  }

  /** Look what is there. @throws {Error} when the folder cannot be read */
  load(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(this.#folder)) {
      const number = Number(name)
      if (!Number.isSafeInteger(number) || number < 1) continue
      const { size } = statSync(join(this.#folder, name))
      this.#packs.set(number, { number, octets: size, usedOctets: 0, slots: [], isLeaving: false })
      this.#charge(size)
      this.#next = Math.max(this.#next, number + 1)
    }
  }

  /** Whether a pack is long enough for what the journal says of it. */
  holds(place: number, lengthOctets: number): boolean {
    const { pack, offset } = packedAt(place)
    return offset + PACKED_HEAD_OCTETS + lengthOctets <= (this.#packs.get(pack)?.octets ?? 0)
  }

  /** Remove the packs that nothing is in: a crash came before the journal knew it. */
  sweep(): void {
    for (const pack of [...this.#packs.values()]) if (pack.usedOctets === 0) this.#remove(pack)
  }

  /**
   * Append sealed bodies in one call; the budget has been looked at.
   *
   * @returns the place of the first of them
   * @throws {Error} when the disk is full or fails: then nothing was appended
   */
  append(octets: Buffer): number {
    const { pack, descriptor } = (this.#head ??= this.#begin())
    const offset = pack.octets
    const written = tryWrite(descriptor, octets, offset)
    if (written instanceof Error) throw written
    pack.octets += octets.length
    pack.usedOctets += octets.length
    this.#charge(octets.length)
    if (pack.octets >= this.packOctets) this.#closeHead()
    return placeOf({ pack: pack.number, offset })
  }

  /** An entry's body, from before the start, lies there. */
  adopt(slot: number, place: number, lengthOctets: number): void {
    const pack = this.#packs.get(packedAt(place).pack)
    if (pack !== undefined) pack.usedOctets += PACKED_HEAD_OCTETS + lengthOctets
    this.keep(slot, place)
  }

  /** An entry's body, just appended, lies there. */
  keep(slot: number, place: number): void {
    this.#packs.get(packedAt(place).pack)?.slots.push(slot)
  }

  /** Nothing is there any more, and the journal knows it. */
  forget(place: number, lengthOctets: number): void {
    const pack = this.#packs.get(packedAt(place).pack)
    if (pack === undefined) return
    pack.usedOctets -= PACKED_HEAD_OCTETS + lengthOctets
    if (pack.usedOctets <= 0) this.#remove(pack)
  }

  /** Those that are not appended to any more. */
  closed(): Pack[] {
    return [...this.#packs.values()].filter((pack) => pack !== this.#head?.pack)
  }

  has(pack: Pack): boolean {
    return this.#packs.has(pack.number)
  }

  close(): void {
    this.#closeHead()
  }

  #begin(): { readonly pack: Pack; readonly descriptor: number } {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    for (let tries = 0; ; tries++) {
      const number = this.#next++
      try {
        const descriptor = openSync(join(this.#folder, `${number}`), 'wx', 0o600)
        const pack = { number, octets: 0, usedOctets: 0, slots: [], isLeaving: false }
        this.#packs.set(number, pack)
        return { pack, descriptor }
      } catch (error) {
        // Of a process that has not ended yet.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === TRIES) throw error
      }
    }
  }

  #closeHead(): void {
    if (this.#head !== undefined) closeSync(this.#head.descriptor)
    this.#head = undefined
  }

  #remove(pack: Pack): void {
    if (!this.#packs.delete(pack.number)) return
    if (this.#head?.pack === pack) this.#closeHead()
    this.#charge(-pack.octets)
    try {
      unlinkSync(join(this.#folder, `${pack.number}`))
    } catch {
      // It is gone already, or the disk fails: the next start looks again.
    }
  }

  #charge(octets: number): void {
    Atomics.add(this.#shared.controlBig, control.diskOctets >> 1, BigInt(octets))
  }
}

function tryWrite(descriptor: number, octets: Buffer, offset: number): Error | null {
  try {
    for (let at = 0; at < octets.length; ) at += writeSync(descriptor, octets, at)
    return null
  } catch (error) {
    ftruncateSync(descriptor, offset)
    return error as Error
  }
}

const LEAST_OCTETS = 262_144
const MOST_OCTETS = 67_108_864
const TRIES = 1000
