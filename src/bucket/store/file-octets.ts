import { type FileHandle, open } from 'node:fs/promises'
import type { Octets } from './store.ts'

/** The octets of files, one after the other, read from disk as they are wanted. */
export class FileOctets implements Octets {
  readonly #paths: readonly string[]
  readonly #block = Buffer.allocUnsafe(BLOCK_OCTETS)
  #next = 0
  #file: FileHandle | undefined

  constructor(paths: readonly string[]) {
    this.#paths = paths
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#file === undefined) {
        const path = this.#paths[this.#next++]
        if (path === undefined) return null
        this.#file = await open(path)
      }
      const { bytesRead } = await this.#file.read(this.#block, 0, BLOCK_OCTETS)
      if (bytesRead > 0) return this.#block.subarray(0, bytesRead)
      await this.close()
    }
  }

  /** Needed when not all is read. */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

const BLOCK_OCTETS = 1_048_576
