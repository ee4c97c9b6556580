import { randomBytes } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BlockWriter } from '#bucket/upload/block-writer.ts'
import { Tally } from '#bucket/upload/tally.ts'

/** What has been received: a file, and what is known of its octets. */
export type Finished = {
  readonly path: string
  readonly sha256: string
  readonly octets: number
  /** the first octets, by which a type is detected */
  readonly head: Uint8Array
}

/** A file that is being received, and hashed as it comes. */
export class Draft {
  readonly path: string
  octets = 0
  readonly #file: FileHandle
  readonly #writer: BlockWriter
  readonly #tally = new Tally()

  private constructor(path: string, file: FileHandle) {
    this.path = path
    this.#file = file
    this.#writer = new BlockWriter(file, 0, (octets) => this.#tally.add(octets))
  }

  /** @param label ends the name of the file, for who watches its progress: letters, digits, `-` and `_` */
  static async create(folder: string, label = ''): Promise<Draft> {
    const name = `${process.pid}-${randomBytes(9).toString('base64url')}.${label}`
    const path = join(folder, name)
    return new Draft(path, await open(path, 'wx', 0o640))
  }

  /** Take octets; they are the caller's again when this has returned, or what it returned is settled. */
  write(octets: Uint8Array): void | Promise<void> {
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
    return finishedOf(this.path, this.#tally)
  }

  /** Nothing is left of it. Never throws. */
  async discard(): Promise<void> {
    await this.#writer.close().catch(() => {})
    await rm(this.path, { force: true }).catch(() => {})
  }
}

/** @param tally of all that stands in the file; nothing can be added to it any more */
export function finishedOf(path: string, tally: Tally): Finished {
  return { path, sha256: tally.digest(), octets: tally.octets, head: tally.head }
}

/**
 * What stands in a file that was received before.
 *
 * @param sync wait until the disk has it
 */
export async function tallyFile(path: string, sync: boolean): Promise<Tally> {
  const tally = new Tally()
  const file = await open(path, 'r')
  try {
    const block = Buffer.allocUnsafe(READ_OCTETS)
    for (;;) {
      const { bytesRead } = await file.read(block, 0, READ_OCTETS)
      if (bytesRead === 0) break
      tally.add(block.subarray(0, bytesRead))
    }
    if (sync) await file.datasync()
    return tally
  } finally {
    await file.close()
  }
}

const READ_OCTETS = 1_048_576
