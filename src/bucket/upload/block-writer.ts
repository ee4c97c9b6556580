import type { FileHandle } from 'node:fs/promises'
import { alignedBlock, openDirect, PAGE_OCTETS } from '#core/direct-file.ts'
import { createSpareBlocks } from '#core/spare-blocks.ts'

/**
 * Writes to a file in blocks: some are filled while others are being written, so that whoever gives octets overlaps with
 * the disk, and a slow disk makes them wait.
 *
 * What is long goes to the disk past the kernel's memory, where it would take the place of what is asked for.
 */
export class BlockWriter {
  readonly #file: FileHandle
  readonly #onBlock: (octets: Buffer) => void
  /** the block that is being filled */
  #block: Buffer | undefined
  #filledOctets = 0
  /** how much of it is filled: of the first one so much that the others begin at pages of the file */
  #limitOctets: number
  /** blocks to be written, in order, and how much of each */
  #full: { readonly block: Buffer; readonly octets: Buffer }[] = []
  /** in the file, of the first of them */
  #position: number
  #writtenOctets = 0
  #writing: Promise<void> | undefined
  #failure: unknown
  /** the same file, past the kernel's memory; null where that is not to be had */
  #direct: FileHandle | null | undefined
  #isOver = false

  /** @param onBlock called with each block when it is full, in order */
  constructor(file: FileHandle, position: number, onBlock: (octets: Buffer) => void = () => {}) {
    this.#file = file
    this.#position = position
    this.#limitOctets = BLOCK_OCTETS - (position % PAGE_OCTETS)
    this.#onBlock = onBlock
  }

  /** Take octets; they are the caller's again when this has returned, or what it returned is settled. */
  write(octets: Uint8Array): void | Promise<void> {
    for (let at = 0; at < octets.length; ) {
      if (this.#isFull()) return this.#waitToWrite(octets.subarray(at))
      this.#block ??= blocks.take()
      const part = octets.subarray(at, at + this.#limitOctets - this.#filledOctets)
      this.#block.set(part, this.#filledOctets)
      this.#filledOctets += part.length
      at += part.length
      if (this.#filledOctets === this.#limitOctets) this.#turn()
    }
  }

  /** Everything is written when this resolves. */
  async flush(): Promise<void> {
    this.#turn()
    while (this.#writing !== undefined) await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Give its memory back and close the file; what was not flushed is lost. */
  async close(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await this.#writing
    if (this.#block !== undefined) blocks.give(this.#block)
    for (const { block } of this.#full) blocks.give(block)
    await this.#direct?.close()
    await this.#file.close()
  }

  async #waitToWrite(octets: Uint8Array): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
    await this.write(octets)
  }

  /** When many write much, each has the least that lets it go on while the disk writes. */
  #isFull(): boolean {
    const limit = blocks.taken() < LIMIT_ALL_BLOCKS ? LIMIT_BLOCKS : 1
    return this.#full.length >= limit || this.#failure !== undefined
  }

  /** Have the block that is full written, and go on with another one. */
  #turn(): void {
    const block = this.#block
    if (block === undefined) return
    const octets = block.subarray(0, this.#filledOctets)
    this.#block = undefined
    this.#filledOctets = 0
    this.#limitOctets = BLOCK_OCTETS
    this.#full.push({ block, octets })
    this.#goOn()
    this.#onBlock(octets)
  }

  #goOn(): void {
    if (this.#writing !== undefined || this.#full.length === 0 || this.#isOver) return
    this.#writing = this.#writeFull().then(
      () => {
        this.#writing = undefined
        this.#goOn()
      },
      (error) => {
        this.#writing = undefined
        this.#failure = error
      },
    )
  }

  /** Write those that are full by now, but for the last of the file: it ends within a page, and the first may too. */
  async #writeFull(): Promise<void> {
    const odd = this.#full.findIndex(({ octets }) => octets.length % PAGE_OCTETS > 0)
    const count = Math.min(odd < 0 ? this.#full.length : Math.max(1, odd), LIMIT_AT_ONCE)
    const parts = this.#full.slice(0, count).map(({ octets }) => octets)
    const direct = odd === 0 ? null : await this.#directFile()
    let lengthOctets = 0
    for (const { length } of parts) lengthOctets += length
    const directOctets = direct === null ? 0 : await this.#tryDirect(direct, parts)
    if (directOctets < lengthOctets) await this.#writeRest(parts, directOctets)
    this.#position += lengthOctets
    this.#writtenOctets += lengthOctets
    for (const { block } of this.#full.splice(0, count)) blocks.give(block)
  }

  async #directFile(): Promise<FileHandle | null> {
    if (this.#writtenOctets < LONG_OCTETS) return null
    if (this.#direct === undefined) this.#direct = await openDirect(this.#file)
    return this.#direct
  }

  /** A disk may want other places than pages, and a file system say so only now. */
  async #tryDirect(direct: FileHandle, parts: readonly Buffer[]): Promise<number> {
    try {
      return (await direct.writev(parts, this.#position)).bytesWritten
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error
      this.#direct = null
      await direct.close()
      return 0
    }
  }

  async #writeRest(parts: readonly Buffer[], from: number): Promise<void> {
    let begin = 0
    for (const part of parts) {
      for (let at = Math.max(0, from - begin); at < part.length; ) {
        at += (await this.#file.write(part, at, part.length - at, this.#position + begin + at)).bytesWritten
      }
      begin += part.length
    }
  }
}

const BLOCK_OCTETS = 262_144
/** Of one file: 3 MiB. */
const LIMIT_BLOCKS = 12
/** Written by one call, while as many are filled. */
const LIMIT_AT_ONCE = LIMIT_BLOCKS / 2
/** Of all files, from where on each has only two: 32 MiB. */
const LIMIT_ALL_BLOCKS = 128
/** What comes behind 16 MiB is no picture that is looked at as soon as it is there. */
const LONG_OCTETS = 16_777_216
/** 16 MiB wait for the next uploads. */
const blocks = createSpareBlocks(BLOCK_OCTETS, 64, alignedBlock)
