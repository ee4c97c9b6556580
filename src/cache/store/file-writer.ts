import { closeSync, mkdirSync, openSync, writevSync } from 'node:fs'
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { encodeTrailer, Sums } from './wire/object-file.ts'

/** What a file's trailer says of its object. */
export type FileRecord = { readonly keyOctets: number; readonly metaOctets: number; readonly record: Buffer }

/** Writes the file of one object from begin to end; every method may reject when the disk is full or fails. */
export class FileWriter {
  readonly #path: string
  readonly #sums = new Sums()
  #handle: FileHandle | undefined
  #octets = 0
  #held: Uint8Array[] = []

  constructor(path: string) {
    this.#path = path
  }

  async write(octets: Uint8Array): Promise<void> {
    const handle = (this.#handle ??= await this.#open())
    await writeFully(handle, octets)
    this.#count(octets)
  }

  /** Hold octets, which stay as they are until the end: what is small goes out in one call, together with what ends it. */
  hold(octets: Uint8Array): void {
    this.#held.push(octets)
    this.#count(octets)
  }

  /** Complete the file. @returns its octets */
  async end(record: FileRecord): Promise<number> {
    const trailer = encodeTrailer({ ...record, lengthOctets: this.#octets, sums: this.#sums.encode() })
    if (this.#handle === undefined) {
      writeAtOnce(this.#path, [...this.#held, trailer])
    } else {
      await writeFully(this.#handle, trailer)
      await this.close()
    }
    return this.#octets + trailer.length
  }

  /** Leave the file as it is: without an end it counts for nothing. */
  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** Remove the file, which holds nothing: a full disk needs the room. Never rejects. */
  async abandon(): Promise<void> {
    await this.close().catch(() => {})
    await unlink(this.#path).catch(() => {})
  }

  #count(octets: Uint8Array): void {
    this.#sums.add(octets)
    this.#octets += octets.length
  }

  async #open(): Promise<FileHandle> {
    return open(this.#path, 'wx', MODE).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 })
      return open(this.#path, 'wx', MODE)
    })
  }
}

async function writeFully(handle: FileHandle, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length; ) {
    const { bytesWritten } = await handle.write(octets, at)
    at += bytesWritten
  }
}

/**
 * Write a small file without leaving the thread: a job for another one, and back, takes longer than the kernel does.
 *
 * @throws {Error} when the disk is full or fails
 */
function writeAtOnce(path: string, pieces: readonly Uint8Array[]): void {
  const descriptor = openAtOnce(path)
  try {
    const written = writevSync(descriptor, pieces)
    const octets = pieces.reduce((sum, { length }) => sum + length, 0)
    if (written < octets) throw new Error(`The disk took ${written} of ${octets} octets`)
  } finally {
    closeSync(descriptor)
  }
}

function openAtOnce(path: string): number {
  try {
    return openSync(path, 'wx', MODE)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return openSync(path, 'wx', MODE)
  }
}

/** What clients of one host fetched is nobody else's business. */
const MODE = 0o600
