import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BlockWriter } from '#bucket/upload/block-writer.ts'

/** What has been received: a file, and what is known of its octets. */
export type Finished = {
  readonly path: string
  readonly sha256: string
  readonly octets: number
  /** the first octets, by which a type is detected */
  readonly head: Uint8Array
}

/** As many as detection wants to see. */
export const HEAD_OCTETS = 4100

/** A file that is being received, and hashed as it comes. */
export class Draft {
  readonly path: string
  octets = 0
  readonly #file: FileHandle
  readonly #writer: BlockWriter
  readonly #hash = createHash('sha256')
  #head: Uint8Array = new Uint8Array(0)

  private constructor(path: string, file: FileHandle) {
    this.path = path
    this.#file = file
    this.#writer = new BlockWriter(file, 0, (octets) => this.#hash.update(octets))
  }

  /** @param label ends the name of the file, for who watches its progress: letters, digits, `-` and `_` */
  static async create(folder: string, label = ''): Promise<Draft> {
    const name = `${process.pid}-${randomBytes(9).toString('base64url')}.${label}`
    const path = join(folder, name)
    return new Draft(path, await open(path, 'wx', 0o640))
  }

  /** Take octets; they are the caller's again when this has returned, or what it returned is settled. */
  write(octets: Uint8Array): void | Promise<void> {
    if (this.#head.length < HEAD_OCTETS) {
      const missing = HEAD_OCTETS - this.#head.length
      this.#head = Buffer.concat([this.#head, octets.subarray(0, missing)])
    }
    this.octets += octets.length
    return this.#writer.write(octets)
  }

  /**
   * The last octets are written.
   *
   * @param sync wait until the disk has them
   */
  async finish(sync: boolean): Promise<Finished> {
    await this.#writer.flush()
    if (sync) await this.#file.datasync()
    await this.#writer.close()
    return { path: this.path, sha256: this.#hash.digest('hex'), octets: this.octets, head: this.#head }
  }

  /** Nothing is left of it. Never throws. */
  async discard(): Promise<void> {
    await this.#writer.close().catch(() => {})
    await rm(this.path, { force: true }).catch(() => {})
  }
}

/** What stands in a file that was received before. */
export async function finishFile(path: string, sync: boolean): Promise<Finished> {
  const file = await open(path, 'r')
  const hash = createHash('sha256')
  let octets = 0
  let head: Uint8Array = new Uint8Array(0)
  try {
    const block = Buffer.allocUnsafe(READ_OCTETS)
    for (;;) {
      const { bytesRead } = await file.read(block, 0, READ_OCTETS)
      if (bytesRead === 0) break
      if (octets === 0) head = Uint8Array.from(block.subarray(0, Math.min(bytesRead, HEAD_OCTETS)))
      hash.update(block.subarray(0, bytesRead))
      octets += bytesRead
    }
    if (sync) await file.datasync()
  } finally {
    await file.close()
  }
  return { path, sha256: hash.digest('hex'), octets, head }
}

const READ_OCTETS = 1_048_576
