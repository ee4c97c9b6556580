import { mkdirSync } from 'node:fs'
import { readdir, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { adopt } from './adopt.ts'
import { type Files, folderOf } from './files.ts'
import { recordOf } from './filing.ts'
import { Journal, type Stored } from './journal.ts'
import { Packer } from './packer.ts'
import { Packs } from './packs.ts'
import type { Parts } from './parts.ts'
import { control, type DiskShape, field, flag, state } from './shared.ts'
import type { JournalRecord } from './wire/journal-record.ts'
import { isPacked, MOST_PACKED_OCTETS } from './wire/pack.ts'
import { WriteBehind } from './write-behind.ts'

/**
 * Keeps the disk tier, for all workers: has whole objects written to packs and files, says in the journal what is stored and what
 * is not any more, removes files, and looks whether a disk that failed works again.
 */
export class Keeper {
  readonly #parts: Parts
  readonly #files: Files
  readonly #folder: string
  readonly #journal: Journal
  readonly #writeBehind: WriteBehind
  readonly #packs: Packs
  readonly #packer: Packer
  #isClosed = false
  /** the journal lacks something: it is written anew before it says more */
  #isBehind = false
  /** the journal was written anew, and not all was seen */
  #hasMissed = false
  #running: Promise<void> = Promise.resolve()

  constructor(parts: Parts, files: Files, shape: DiskShape) {
    const { folder, budgetOctets } = shape
    this.#parts = parts
    this.#files = files
    this.#folder = folder
    this.#journal = new Journal(folder)
    this.#writeBehind = new WriteBehind(parts, files)
    this.#packs = new Packs(shape, parts.shared)
    this.#packer = new Packer(parts, files, this.#packs, budgetOctets)
  }

  /** Read the journal and begin; a disk that cannot be read or written leaves the tier off. */
  start(): void {
    const known = new Set<number>()
    Atomics.store(this.#parts.shared.control, control.diskOn, 1)
    try {
      mkdirSync(join(this.#folder, 'objects'), { recursive: true, mode: 0o700 })
      this.#load(known)
    } catch (error) {
      this.#isBehind = true
      this.#files.turnOff(error)
    }
    this.#running = this.#run(known).catch((error: unknown) => {
      this.#files.turnOff(error)
    })
  }

  /** Finish what is to be done, and stop. */
  async close(): Promise<void> {
    await Promise.all(this.#parts.finishing)
    this.#isClosed = true
    this.#packer.stop()
    this.#parts.table.ringKeeper()
    await this.#running
    this.#journal.close()
    this.#packs.close()
  }

  async #run(known: ReadonlySet<number>): Promise<void> {
    const { control: words } = this.#parts.shared
    const sweeping = this.#sweep(known)
    let lookedAt = performance.now()
    for (let isLast = false; !isLast; ) {
      isLast = this.#isClosed
      const count = Atomics.load(words, control.choreCount)
      const bell = Atomics.load(words, control.bell)
      await this.#doChores()
      Atomics.store(words, control.choresDone, count)
      Atomics.notify(words, control.choresDone)
      if (!this.#files.isOn() && performance.now() - lookedAt >= LOOK_AGAIN_MS) {
        await this.#lookAgain()
        lookedAt = performance.now()
      }
      if (this.#isClosed) continue
      const change = Atomics.waitAsync(words, control.choreCount, count, LOOK_AGAIN_MS)
      if (change.async) await change.value
      if (this.#isClosed) continue
      // Many go out with one call, unless somebody waits.
      const call = Atomics.waitAsync(words, control.bell, bell, LINGER_MS)
      if (call.async) await call.value
    }
    for (let rounds = 0; words[control.choreHead] !== 0 || !this.#isIdle(); rounds++) {
      await this.#writeBehind.idle()
      await this.#packer.idle()
      await this.#doChores()
      if (rounds === LAST_ROUNDS) break
    }
    await sweeping
  }

  async #doChores(): Promise<void> {
    const wanted = Atomics.exchange(this.#parts.shared.control, control.diskWanted, 0)
    if (wanted > 0) this.#packer.want(wanted)
    const chores = await this.#takeChores()
    for (let at = 0; at < chores.length; at += BATCH) await this.#doBatch(chores.slice(at, at + BATCH))
    const most = 2 * this.#parts.shared.control[control.objects]! + COMPACT_FROM
    if (this.#isBehind || this.#journal.records > most) await this.#compact()
  }

  /** All entries that have something to do, first come first. */
  #takeChores(): Promise<number[]> {
    const { lock, shared, table } = this.#parts
    return lock.holdSoon(() => {
      const taken: number[] = []
      for (
        let slot = shared.control[control.choreHead]!;
        slot !== 0;
        slot = table.get(slot, field.nextChore)
      ) {
        table.setFlags(slot, 0, flag.chore)
        taken.push(slot)
      }
      shared.control[control.choreHead] = 0
      return taken.reverse()
    })
  }

  async #doBatch(slots: readonly number[]): Promise<void> {
    const { lock, table } = this.#parts
    const now = await lock.holdSoon(() => ({
      said: slots.map((slot) => this.#recordFor(slot)).filter((one) => one !== null),
      left: slots.flatMap((slot) => {
        const lengthOctets = table.getBig(slot, field.length)
        return this.#packer.takeMoved(slot).map((file) => ({ file, lengthOctets }))
      }),
      // With a chore again, an entry was emptied since we took this one: it comes back.
      emptied: slots.filter(
        (slot) => table.get(slot, field.state) === state.emptied && !table.hasFlag(slot, flag.chore),
      ),
      unfiled: slots.filter((slot) => table.holds(slot) && table.getBig(slot, field.file) === 0),
    }))
    // In this order: a crash in between leaves an object twice, not gone.
    this.#say([...now.said, ...now.left.map(({ file }) => ({ kind: 'removed', file }) as const)])
    for (const slot of now.unfiled) {
      const isSmall = table.getBig(slot, field.length) <= MOST_PACKED_OCTETS
      if (isSmall) this.#packer.add(slot)
      else this.#writeBehind.add(slot)
    }
    for (const { file, lengthOctets } of now.left) this.#packs.forget(file, lengthOctets)
    await this.#empty(now.emptied)
  }

  /** What the journal has to know of an entry. */
  #recordFor(slot: number): JournalRecord | null {
    const { table } = this.#parts
    const file = table.getBig(slot, field.file)
    if (file === 0 || table.get(slot, field.state) === 0) return null
    if (table.get(slot, field.linked) === 0) return { kind: 'removed', file }
    return table.hasFlag(slot, flag.onDisk) ? this.#stored(slot) : null
  }

  #say(records: readonly JournalRecord[]): void {
    if (this.#isBehind) return
    try {
      this.#journal.append(records)
    } catch (error) {
      this.#isBehind = true
      this.#files.turnOff(error)
    }
  }

  /** Remove what held the bodies of entries, and give these back. */
  async #empty(slots: readonly number[]): Promise<void> {
    const { lock, table } = this.#parts
    await Promise.all(slots.map((slot) => this.#removeBody(slot)))
    if (slots.length === 0) return
    await lock.holdSoon(() => {
      for (const slot of slots) table.giveSlot(slot)
    })
  }

  async #removeBody(slot: number): Promise<void> {
    const { table } = this.#parts
    const file = table.getBig(slot, field.file)
    if (isPacked(file)) this.#packs.forget(file, table.getBig(slot, field.length))
    else if (file !== 0) await unlink(this.#files.pathOf(file)).catch(() => {})
  }

  #isIdle(): boolean {
    return this.#writeBehind.isIdle() && this.#packer.isIdle()
  }

  #stored(slot: number): Stored {
    const { table } = this.#parts
    return {
      kind: 'stored',
      file: table.getBig(slot, field.file),
      lengthOctets: table.getBig(slot, field.length),
      isStale: table.hasFlag(slot, flag.stale),
      hits: table.get(slot, field.hits),
      keyOctets: table.get(slot, field.keyOctets),
      metaOctets: table.get(slot, field.metaOctets),
      record: recordOf(this.#parts, slot),
    }
  }

  async #compact(): Promise<void> {
    if (!this.#files.isOn()) return
    try {
      this.#hasMissed = false
      await this.#journal.replace(this.#everything())
      this.#isBehind = this.#hasMissed
    } catch (error) {
      this.#isBehind = true
      this.#files.turnOff(error)
    }
  }

  *#everything(): Generator<Stored> {
    const { lock, table } = this.#parts
    for (let slot = 1; slot < table.end(); slot++) {
      const seen = lock.hold(() => {
        const isStored = table.get(slot, field.linked) === 1 && table.hasFlag(slot, flag.onDisk)
        return { stored: isStored ? this.#stored(slot) : null }
      })
      // Not seen for want of the lock: all is written once more.
      if (seen === null) this.#hasMissed = true
      else if (seen.stored !== null) yield seen.stored
    }
  }

  /** @param known gets the numbers of the files that hold objects */
  #load(known: Set<number>): void {
    const { lock, shared } = this.#parts
    // Beyond every number of an earlier process: what it left half-written has another name.
    let next = Date.now() * 1000
    this.#packs.load()
    for (const stored of this.#journal.load()) {
      const { file, lengthOctets } = stored
      next = Math.max(next, file + 1)
      if (isPacked(file) && !this.#packs.holds(file, lengthOctets)) continue
      const slot = lock.hold(() => adopt(this.#parts, stored))
      if (!slot) continue
      if (isPacked(file)) this.#packs.adopt(slot, file, lengthOctets)
      else known.add(file)
    }
    this.#packs.sweep()
    Atomics.store(shared.controlBig, control.nextFile >> 1, BigInt(next))
  }

  /** Remove the files that hold nothing: a crash cut them, or came before the journal knew them. */
  async #sweep(known: ReadonlySet<number>): Promise<void> {
    const end = Number(Atomics.load(this.#parts.shared.controlBig, control.nextFile >> 1))
    for (let folder = 0; folder < 256 && !this.#isClosed; folder++) {
      const path = join(this.#folder, 'objects', folderOf(folder))
      for (const name of await readdir(path).catch(() => [])) {
        if (!known.has(Number(name)) && Number(name) < end) await unlink(join(path, name)).catch(() => {})
      }
    }
  }

  /** Whether the disk takes octets again. */
  async #lookAgain(): Promise<void> {
    const path = join(this.#folder, 'probe')
    try {
      mkdirSync(join(this.#folder, 'objects'), { recursive: true, mode: 0o700 })
      await writeFile(path, Buffer.alloc(PROBE_OCTETS), { flush: true })
      await unlink(path)
      Atomics.store(this.#parts.shared.control, control.diskOn, 1)
      await this.#compact()
      if (this.#files.isOn()) this.#parts.log('info', 'cache-disk-on', { folder: this.#folder })
    } catch {
      await unlink(path).catch(() => {})
    }
  }
}

/** A disk that failed is tried again every 3 s. */
const LOOK_AGAIN_MS = 3000
/** How long chores are gathered. */
const LINGER_MS = 20
/** A write leaves a chore behind, and that is all: two rounds, unless other workers go on. */
const LAST_ROUNDS = 8
const PROBE_OCTETS = 1_048_576
const BATCH = 256
/** The journal is written anew when more than half of it is about what is gone, from so many records on. */
const COMPACT_FROM = 10_000
