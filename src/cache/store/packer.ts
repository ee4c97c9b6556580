import { setImmediate as turn } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import type { Files } from './files.ts'
import type { Pack, Packs, Staged } from './packs.ts'
import type { Parts } from './parts.ts'
import { reclaim } from './reclaim.ts'
import { control, field, flag, state } from './shared.ts'
import { PACKED_HEAD_OCTETS, seal } from './wire/pack.ts'

/** Puts whole small objects from memory into packs, many of them in one call. */
export class Packer {
  readonly #parts: Parts
  readonly #files: Files
  readonly #packs: Packs
  readonly #budgetOctets: number
  readonly #waiting: { readonly slot: number; readonly generation: number }[] = []
  readonly #stage: Buffer
  readonly #moved = new Map<number, number[]>()
  #wanted = 0
  #working: Promise<void> | undefined
  #isStopped = false

  constructor(parts: Parts, files: Files, packs: Packs, budgetOctets: number) {
    this.#parts = parts
    this.#files = files
    this.#packs = packs
    this.#budgetOctets = budgetOctets
    this.#stage = Buffer.allocUnsafeSlow(Math.min(STAGE_OCTETS, packs.packOctets))
  }

  /** With too many waiting, an object stays in memory only. */
  add(slot: number): void {
    if (this.#waiting.length >= MOST_WAITING) return
    this.#waiting.push({ slot, generation: this.#parts.table.get(slot, field.generation) })
    this.#working ??= this.#work()
  }

  /** A worker found no room for so much: the next one finds some. */
  want(octets: number): void {
    this.#wanted = octets
    this.#working ??= this.#work()
  }

  /** Resolves when nothing is waiting. */
  async idle(): Promise<void> {
    await this.#working
  }

  isIdle(): boolean {
    return this.#working === undefined
  }

  /** No more room is made: what finds none stays in memory only. */
  stop(): void {
    this.#isStopped = true
  }

  /** Where an entry's body lay before it was moved: the journal has to know that nothing is there now. */
  takeMoved(slot: number): readonly number[] {
    const places = this.#moved.get(slot) ?? []
    this.#moved.delete(slot)
    return places
  }

  /** Make room for so much more. @returns false when there is none to be made */
  async #makeRoom(octets: number): Promise<boolean> {
    for (let tries = 0; !this.#hasRoom(octets); tries++) {
      if (this.#isStopped || tries === ROOM_TRIES || !this.#files.isOn()) return false
      const dropped = await this.#parts.lock.holdSoon(() => this.#parts.room.dropFile())
      if (dropped === 'dropped') continue
      const pack = await this.#reclaim()
      if (pack === undefined) return false
      for (let waits = 0; this.#packs.has(pack) && waits < GONE_WAITS && !this.#isStopped; waits++) {
        this.#parts.table.ringKeeper()
        await turn()
      }
    }
    return true
  }

  async #reclaim(): Promise<Pack | undefined> {
    try {
      return await reclaim(this.#parts, this.#packs, (octets, staged) => this.#append(octets, staged))
    } catch (error) {
      this.#files.turnOff(error)
      return undefined
    }
  }

  async #work(): Promise<void> {
    // Not before `#working` is set.
    await turn()
    while (this.#waiting.length > 0 || this.#wanted > 0) {
      const wanted = this.#wanted
      this.#wanted = 0
      if (wanted > 0) await this.#makeRoom(wanted)
      if (this.#files.isOn()) await this.#writeSome()
      else this.#waiting.length = 0
      await turn()
    }
    this.#working = undefined
  }

  async #writeSome(): Promise<void> {
    const staged: Staged[] = []
    let end = 0
    const taken = await this.#parts.lock.holdSoon(() => this.#take())
    for (const { slot, generation, keySum } of taken) {
      const octets = this.#parts.table.getBig(slot, field.length) + PACKED_HEAD_OCTETS
      this.#copy(slot, this.#stage.subarray(end, end + octets), keySum)
      staged.push({ slot, generation, at: end })
      end += octets
    }
    const hasRoom = staged.length > 0 && (await this.#makeRoom(end))
    if (hasRoom) await this.#append(this.#stage.subarray(0, end), staged)
    await this.#parts.lock.holdSoon(() => {
      const { table } = this.#parts
      for (const { slot } of taken) if (table.unpin(slot)) table.free(slot)
    })
  }

  /** Pin what is waiting and still wanted, as much as goes out in one call. Under the lock. */
  #take(): { slot: number; generation: number; keySum: number }[] {
    const { arena, shared, table } = this.#parts
    const taken: { slot: number; generation: number; keySum: number }[] = []
    let octets = 0
    let looked = 0
    for (const { slot, generation } of this.#waiting) {
      const isWanted = this.#isWanted(slot) && table.get(slot, field.generation) === generation
      const more = isWanted ? table.getBig(slot, field.length) + PACKED_HEAD_OCTETS : 0
      if (looked === AT_ONCE || octets + more > this.#stage.length) break
      looked++
      if (!isWanted || !table.pin(slot, generation)) continue
      const keyAt = arena.dataAt(table.get(slot, field.record))
      const key = shared.arena.subarray(keyAt, keyAt + table.get(slot, field.keyOctets))
      taken.push({ slot, generation, keySum: crc32(key) })
      octets += more
    }
    this.#waiting.splice(0, looked)
    return taken
  }

  #isWanted(slot: number): boolean {
    const { table } = this.#parts
    return (
      table.get(slot, field.linked) === 1 &&
      table.get(slot, field.state) === state.whole &&
      table.getBig(slot, field.file) === 0
    )
  }

  /** Copy the body of an entry, pinned, from memory. */
  #copy(slot: number, into: Buffer, keySum: number): void {
    const { arena, shared, table } = this.#parts
    let at = PACKED_HEAD_OCTETS
    for (let block = table.get(slot, field.body); block !== 0; block = arena.next(block)) {
      const from = arena.dataAt(block)
      at += shared.arena.copy(into, at, from, from + arena.octets(block))
    }
    seal(into, keySum)
  }

  /** Write sealed bodies to a pack; entries that have gone meanwhile leave a gap. */
  async #append(octets: Buffer, staged: readonly Staged[]): Promise<void> {
    const { lock, table } = this.#parts
    let first: number
    try {
      first = this.#packs.append(octets)
    } catch (error) {
      this.#files.turnOff(error)
      return
    }
    await lock.holdSoon(() => {
      for (const { slot, generation, at } of staged) {
        const isThere = table.get(slot, field.generation) === generation && table.holds(slot)
        if (isThere && table.get(slot, field.linked) === 1) this.#settle(slot, first - at)
        else this.#packs.forget(first - at, octets.readUInt32LE(at + 4))
      }
    })
  }

  #settle(slot: number, place: number): void {
    const { table } = this.#parts
    const old = table.getBig(slot, field.file)
    if (old !== 0) this.#moved.set(slot, [...(this.#moved.get(slot) ?? []), old])
    table.setBig(slot, field.file, place)
    table.setFlags(slot, flag.onDisk, 0)
    table.addChore(slot)
    this.#packs.keep(slot, place)
  }

  #hasRoom(octets: number): boolean {
    const used = Number(Atomics.load(this.#parts.shared.controlBig, control.diskOctets >> 1))
    // One pack is free at all times: into it goes what stays when another one is given up.
    return used + octets + this.#packs.packOctets <= this.#budgetOctets
  }
}

const MOST_WAITING = 65_536
/** What is written in one call, and for how many entries the lock is held. */
const STAGE_OCTETS = 1_048_576
const AT_ONCE = 256
/** Files and packs given up for one batch at most. */
const ROOM_TRIES = 4096
const GONE_WAITS = 1000
