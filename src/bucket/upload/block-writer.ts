import type { FileHandle } from 'node:fs/promises'
import { createSpareBlocks } from '#core/spare-blocks.ts'

/**
 * Writes to a file in blocks: one is filled while the other is being written, so that whoever gives octets overlaps with
 * the disk, and a slow disk makes them wait.
 */
export class BlockWriter {
  readonly #file: FileHandle
  readonly #onBlock: (octets: Buffer) => void
  #position: number
  #block: Buffer = blocks.take()
  #other: Buffer = blocks.take()
  #filled = 0
  #writing: Promise<void> | undefined
  #isOver = false

  /** @param onBlock called with each block while it is being written, in order */
  constructor(file: FileHandle, position: number, onBlock: (octets: Buffer) => void = () => {}) {
    this.#file = file
    this.#position = position
    this.#onBlock = onBlock
  }

  /** Take octets; they are the caller's again when this has returned, or what it returned is settled. */
  write(octets: Uint8Array): void | Promise<void> {
    if (octets.length >= this.#block.length - this.#filled) return this.#writeLong(octets)
    this.#block.set(octets, this.#filled)
    this.#filled += octets.length
  }

  /** Everything is written when this resolves. */
  async flush(): Promise<void> {
    await this.#turn()
    await this.#writing
  }

  /** Give its memory back and close the file; what was not flushed is lost. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await this.#writing?.catch(() => {})
    blocks.give(this.#block)
    blocks.give(this.#other)
    await this.#file.close()
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
    const octets = this.#block.subarray(0, this.#filled)
    ;[this.#block, this.#other] = [this.#other, this.#block]
    this.#filled = 0
    if (octets.length === 0) return
    this.#writing = this.#writeAll(octets, this.#position)
    this.#writing.catch(() => {})
    this.#position += octets.length
    this.#onBlock(octets)
  }

  async #writeAll(octets: Buffer, position: number): Promise<void> {
    for (let at = 0; at < octets.length; ) {
      at += (await this.#file.write(octets, at, octets.length - at, position + at)).bytesWritten
    }
  }
}

const BLOCK_OCTETS = 262_144
/** 16 MiB wait for the next uploads. */
const blocks = createSpareBlocks(BLOCK_OCTETS, 64)
