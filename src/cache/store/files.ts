import { close, closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Log } from '#core/log.ts'
import { readFully } from '#core/read-fully.ts'
import { control, type DiskShape, field, type Shared } from './shared.ts'
import type { Table } from './table.ts'
import { decodeTrailer, SUMMED_OCTETS } from './wire/object-file.ts'
import { isPacked, PACKED_HEAD_OCTETS, packedAt, unseal } from './wire/pack.ts'

/** A file that is open for reading, by one or more readers of this worker. */
export type OpenFile = {
  /** where the body lies: `field.file` at the time of opening */
  readonly place: number
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
  /** by number of the file; below zero, of the pack */
  readonly #open = new Map<number, Shareable>()

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

  /** @param place as in `field.file` */
  pathOf(place: number): string {
    return isPacked(place)
      ? join(this.#shape.folder, 'packs', `${packedAt(place).pack}`)
      : join(this.#shape.folder, 'objects', folderOf(place), `${place}`)
  }

  /**
   * Open what the body of an entry lies in, which is pinned; `release` it afterwards.
   *
   * @returns null when it is not there, or not what was written
   */
  acquire(slot: number, isUnproven: boolean): OpenFile | null {
    for (let tries = 0; tries < TRIES; tries++) {
      const place = this.#table.getBig(slot, field.file)
      const open = this.#open.get(numberOf(place))
      if (open !== undefined) {
        open.users++
        clearTimeout(open.closing)
        return { place, descriptor: open.descriptor, sums: open.sums }
      }
      try {
        const file = this.#openFile(slot, place, isUnproven && !isPacked(place))
        if (file !== null) this.#open.set(numberOf(place), { ...file, users: 1, closing: undefined })
        return file && { place, ...file }
      } catch (error) {
        // It was moved into another pack.
        if (this.#table.getBig(slot, field.file) !== place) continue
        this.#log('warning', 'cache-file-unreadable', { path: this.pathOf(place), error: String(error) })
        return null
      }
    }
    return null
  }

  release({ place }: OpenFile): void {
    const open = this.#open.get(numberOf(place))
    if (open === undefined || --open.users > 0) return
    const leave = (): void => {
      this.#open.delete(numberOf(place))
      close(open.descriptor)
    }
    // Others want something of the same pack soon.
    if (isPacked(place) && this.#open.size < MOST_OPEN) open.closing = setTimeout(leave, LINGER_MS).unref()
    else leave()
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

  /**
   * Read a whole body that lies in a pack.
   *
   * @param keySum `crc32` of its key
   * @throws {Error} as `readBlock`
   */
  async readPacked({ descriptor, place }: OpenFile, lengthOctets: number, keySum: number): Promise<Buffer> {
    const octets = Buffer.allocUnsafeSlow(PACKED_HEAD_OCTETS + lengthOctets)
    const filled = await readFully(descriptor, octets, packedAt(place).offset)
    const body = unseal(octets.subarray(0, filled), keySum)
    if (body === null) throw new Error('What lies in a pack of the cache has changed')
    return body
  }

  #openFile(slot: number, place: number, isUnproven: boolean): Omit<OpenFile, 'place'> | null {
    const descriptor = openSync(this.pathOf(place), 'r')
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

/** Many bodies of one pack are read through one descriptor. */
type Shareable = Omit<OpenFile, 'place'> & { users: number; closing: NodeJS.Timeout | undefined }

function numberOf(place: number): number {
  return isPacked(place) ? -packedAt(place).pack : place
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
/** A body may be moved into another pack while it is looked for. */
const TRIES = 3
/** A pack that nobody reads stays open so long, with so many files at most. */
const LINGER_MS = 1000
const MOST_OPEN = 64
