import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { join } from 'node:path'

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

/**
 * A file that is being received. Octets are gathered in one block while the other is being written, so that hashing and
 * the disk overlap and a slow disk makes its client wait.
 */
export class Draft {
  readonly path: string
  octets = 0
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  #block: Buffer = takeBlock()
  #other: Buffer = takeBlock()
  #filled = 0
  #head: Uint8Array = new Uint8Array(0)
  #writing: Promise<void> | undefined
  #isOver = false

  private constructor(path: string, file: FileHandle) {
    this.path = path
    this.#file = file
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
    const room = this.#block.length - this.#filled
    if (octets.length < room) {
      this.#block.set(octets, this.#filled)
      this.#filled += octets.length
      return
    }
    return this.#writeLong(octets)
  }

  /**
   * The last octets are written.
   *
   * @param sync wait until the disk has them
   */
  async finish(sync: boolean): Promise<Finished> {
    await this.#turn()
    await this.#writing
    if (sync) await this.#file.datasync()
    await this.#close()
    return { path: this.path, sha256: this.#hash.digest('hex'), octets: this.octets, head: this.#head }
  }

  /** Nothing is left of it. Never throws. */
  async discard(): Promise<void> {
    await this.#writing?.catch(() => {})
    await this.#close().catch(() => {})
    await rm(this.path, { force: true }).catch(() => {})
  }

  async #writeLong(octets: Uint8Array): Promise<void> {
    let at = 0
    while (at < octets.length) {
      const part = octets.subarray(at, at + this.#block.length - this.#filled)
      this.#block.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled === this.#block.length) await this.#turn()
    }
  }

  /** Write the block that is full, and go on with the other one. */
  async #turn(): Promise<void> {
    await this.#writing
    const block = this.#block
    const length = this.#filled
    this.#block = this.#other
    this.#other = block
    this.#filled = 0
    if (length === 0) return
    this.#writing = this.#writeAll(block, length)
    this.#writing.catch(() => {})
    this.#hash.update(block.subarray(0, length))
  }

  async #writeAll(block: Buffer, length: number): Promise<void> {
    for (let at = 0; at < length; ) at += (await this.#file.write(block, at, length - at)).bytesWritten
  }

  async #close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    giveBlock(this.#block)
    giveBlock(this.#other)
    await this.#file.close()
  }
}

const BLOCK_OCTETS = 524_288
/** 16 MiB wait for the next uploads; more is left to the garbage collector. */
const LIMIT_FREE_BLOCKS = 32
const freeBlocks: Buffer[] = []

function takeBlock(): Buffer {
  return freeBlocks.pop() ?? Buffer.allocUnsafeSlow(BLOCK_OCTETS)
}

function giveBlock(block: Buffer): void {
  if (freeBlocks.length < LIMIT_FREE_BLOCKS) freeBlocks.push(block)
}
