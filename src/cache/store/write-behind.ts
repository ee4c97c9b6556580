import type { FileWriter } from './file-writer.ts'
import type { Files } from './files.ts'
import { beginFile, completeFile, writeBody } from './filing.ts'
import type { Parts } from './parts.ts'
import { unpin } from './reader.ts'
import { field, state } from './shared.ts'

/** Writes whole large objects from memory to files, a few at a time; with too many waiting, the others stay in memory only. */
export class WriteBehind {
  readonly #parts: Parts
  readonly #files: Files
  readonly #waiting: { readonly slot: number; readonly generation: number }[] = []
  #writing = 0
  #whenIdle: (() => void)[] = []

  constructor(parts: Parts, files: Files) {
    this.#parts = parts
    this.#files = files
  }

  add(slot: number): void {
    if (this.#waiting.length >= MOST_WAITING) return
    this.#waiting.push({ slot, generation: this.#parts.table.get(slot, field.generation) })
    if (this.#writing < AT_ONCE) void this.#work()
  }

  isIdle(): boolean {
    return this.#writing === 0
  }

  /** Resolves when nothing is waiting. */
  async idle(): Promise<void> {
    if (this.#writing > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  async #work(): Promise<void> {
    this.#writing++
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#write(next.slot, next.generation)
    }
    this.#writing--
    if (this.#writing === 0) for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  async #write(slot: number, generation: number): Promise<void> {
    const { table } = this.#parts
    if (!this.#files.isOn() || !table.pin(slot, generation)) return
    const isWanted =
      table.get(slot, field.linked) === 1 &&
      table.get(slot, field.state) === state.whole &&
      table.getBig(slot, field.file) === 0
    const writer = isWanted ? beginFile(this.#parts, slot, table.getBig(slot, field.length)) : undefined
    if (writer !== undefined) await this.#fill(slot, writer)
    unpin(this.#parts, slot)
  }

  async #fill(slot: number, writer: FileWriter): Promise<void> {
    const { lock, table } = this.#parts
    try {
      await writeBody(this.#parts, slot, writer)
    } catch (error) {
      this.#files.turnOff(error)
      await writer.abandon()
      // It stays in memory.
      await lock.holdSoon(() => {
        table.chargeDisk(slot, -table.getBig(slot, field.fileOctets))
        table.setBig(slot, field.file, 0)
      })
      return
    }
    await completeFile(this.#parts, slot, writer)
  }
}

const AT_ONCE = 8
const MOST_WAITING = 65_536
