import { close, closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Log } from '#core/log.ts'
import { readFully } from '#core/read-fully.ts'
import { control, type DiskShape, field, type Shared } from './shared.ts'
import type { Table } from './table.ts'
import { decodeTrailer, SUMMED_OCTETS } from './wire/object-file.ts'

/** A file that is open for reading, by one or more readers of this worker. */
export type OpenFile = {
  readonly descriptor: number
  /** sums of its blocks, when it is from before a restart */
  readonly sums: Buffer | null
}

/** The files of the disk tier as one worker reads them. */
export class Files {
  readonly #shape: DiskShape
  readonly #shared: Shared
  readonly #table: Table
  readonly #log: Log
  readonly #open = new Map<number, { readonly file: OpenFile; users: number }>()

  constructor(shape: DiskShape, shared: Shared, table: Table, log: Log) {
    this.#shape = shape
    this.#shared = shared
    this.#table = table
    this.#log = log
  }

  /** Whether the tier takes new objects. */
  isOn(): boolean {
    return Atomics.load(this.#shared.control, control.diskOn) === 1
  }

  /** The disk is full or fails: the tier takes nothing until the keeper has seen that it can again. */
  turnOff(error: unknown): void {
    if (Atomics.exchange(this.#shared.control, control.diskOn, 0) === 0) return
    this.#log('warning', 'cache-disk-off', { folder: this.#shape.folder, error: String(error) })
  }

  pathOf(file: number): string {
    return join(this.#shape.folder, 'objects', folderOf(file), `${file}`)
  }

  /**
   * Open the file of an entry that is pinned; `release` it afterwards.
   *
   * @returns null when it is not there, or not what was written
   */
  acquire(slot: number, isUnproven: boolean): OpenFile | null {
    const number = this.#table.getBig(slot, field.file)
    const open = this.#open.get(number)
    if (open !== undefined) {
      open.users++
      return open.file
    }
    try {
      const file = this.#openFile(slot, number, isUnproven)
      if (file !== null) this.#open.set(number, { file, users: 1 })
      return file
    } catch (error) {
      this.#log('warning', 'cache-file-unreadable', { path: this.pathOf(number), error: String(error) })
      return null
    }
  }

  release(number: number): void {
    const open = this.#open.get(number)
    if (open === undefined || --open.users > 0) return
    this.#open.delete(number)
    close(open.file.descriptor)
  }

  /**
   * Read a part of a body.
   *
   * @param buffer at least as long as what is read
   * @param from where a summed block begins
   * @param end at most the end of that block
   * @returns what was read, in `buffer`
   * @throws {Error} when the disk fails or the octets are not those that were written
   */
  async readBlock(file: OpenFile, buffer: Buffer, from: number, end: number): Promise<Uint8Array> {
    const octets = buffer.subarray(0, end - from)
    const filled = await readFully(file.descriptor, octets, from)
    if (filled < octets.length) throw new Error('A file of the cache ends too early')
    const isRight = file.sums === null || crc32(octets) === file.sums.readUInt32LE((from / SUMMED_OCTETS) * 4)
    if (!isRight) throw new Error('The file of a stored object has changed')
    return octets
  }

  #openFile(slot: number, number: number, isUnproven: boolean): OpenFile | null {
    const descriptor = openSync(this.pathOf(number), 'r')
    try {
      const length = this.#table.getBig(slot, field.length)
      const sums = isUnproven ? sumsOf(descriptor, length) : null
      if (sums !== null || !isUnproven) return { descriptor, sums }
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
    closeSync(descriptor)
    return null
  }
}

/** Files lie in 256 folders: none grows so large that looking into it takes long. */
export function folderOf(file: number): string {
  return (file % 256).toString(16).padStart(2, '0')
}

/** The sums of a file from before a restart; null when it is not what was written. */
function sumsOf(descriptor: number, lengthOctets: number): Buffer | null {
  const octets = fstatSync(descriptor).size - lengthOctets
  if (octets <= 0 || octets > LONGEST_RECORD + lengthOctets / 1024) return null
  const end = Buffer.alloc(octets)
  if (readSync(descriptor, end, 0, octets, lengthOctets) < octets) return null
  const trailer = decodeTrailer(end)
  return trailer?.lengthOctets === lengthOctets ? trailer.sums : null
}

/** Above key, meta and tags of any object, and what ends a file. */
const LONGEST_RECORD = 262_144
