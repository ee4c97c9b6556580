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

  constructor(path: string) {
    this.#path = path
  }

  async write(octets: Uint8Array): Promise<void> {
    const handle = (this.#handle ??= await this.#open())
    await writeFully(handle, octets)
    this.#sums.add(octets)
    this.#octets += octets.length
  }

  /** Complete the file. @returns its octets */
  async end(record: FileRecord): Promise<number> {
    const trailer = encodeTrailer({ ...record, lengthOctets: this.#octets, sums: this.#sums.encode() })
    this.#handle ??= await this.#open()
    await writeFully(this.#handle, trailer)
    await this.close()
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

/** What clients of one host fetched is nobody else's business. */
const MODE = 0o600
