import { read } from 'node:fs'
import { promisify } from 'node:util'
import type { Source } from '#http/exchange.ts'
import type { OctetRange } from '#http/wire/range.ts'
import type { OpenFile } from './folder.ts'

/** Files up to this length are read at once and sent in one write. */
export const LIMIT_WHOLE_OCTETS = 65_536

/**
 * Read a short part of a file.
 *
 * @returns null when the file has become shorter since it was opened
 */
export async function readWhole(file: OpenFile, range: OctetRange): Promise<Uint8Array | null> {
  const octets = Buffer.allocUnsafe(range.last - range.first + 1)
  return (await fill(file, octets, range.first)) ? octets : null
}

/**
 * Part of a file as a body. It closes the file.
 *
 * Two blocks take turns: while the client takes one, the disk fills the other.
 */
export class FileContent implements Source {
  readonly #file: OpenFile
  readonly #end: number
  #at: number
  /** octets of `#block` that the receiver has not got yet */
  #left: Uint8Array = NONE
  #block: Buffer | undefined
  #next: Uint8Array | undefined
  #nextBlock: Buffer | undefined
  #filling: Promise<void> | undefined
  #isDone = false
  #isClosed = false

  constructor(file: OpenFile, range: OctetRange) {
    this.#file = file
    this.#at = range.first
    this.#end = range.last + 1
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#left.length > 0) return this.#give(limitOctets)
    if (this.#next !== undefined) return this.#turn(this.#next, limitOctets)
    if (this.#filling === undefined && !this.#isDone) this.#startFilling()
    // Also when it has failed: the receiver must not take what it got for the whole.
    if (this.#filling !== undefined) {
      return this.#filling.then(() => (this.#next === undefined ? null : this.#turn(this.#next, limitOctets)))
    }
    this.#finish()
    return null
  }

  cancel(): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#left = NONE
    this.#next = undefined
    // The blocks are not used again: the last octets given may still be on their way into a socket.
    this.#block = this.#nextBlock = undefined
    // Before the disk is ready, the number of the descriptor may not be given to another file.
    if (this.#filling === undefined) this.#close()
    else this.#filling.finally(() => this.#close()).catch(() => {})
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#file.close()
  }

  #give(limitOctets: number): Uint8Array {
    const octets = this.#left.subarray(0, limitOctets)
    this.#left = this.#left.subarray(octets.length)
    return octets
  }

  #turn(next: Uint8Array, limitOctets: number): Uint8Array {
    const emptied = this.#block
    this.#block = this.#nextBlock
    this.#nextBlock = emptied
    this.#left = next
    this.#next = undefined
    this.#startFilling()
    return this.#give(limitOctets)
  }

  #startFilling(): void {
    const length = Math.min(BLOCK_OCTETS, this.#end - this.#at)
    if (length === 0) return
    this.#nextBlock ??= takeBlock()
    const octets = this.#nextBlock.subarray(0, length)
    this.#filling = fill(this.#file, octets, this.#at).then((isFilled) => {
      if (!isFilled) throw new Error('The file has become shorter while it was sent')
      this.#filling = undefined
      this.#at += length
      if (this.#at === this.#end) this.#close()
      if (!this.#isDone) this.#next = octets
    })
    this.#filling.catch(() => this.#close())
  }

  #finish(): void {
    if (this.#block !== undefined) giveBlock(this.#block)
    if (this.#nextBlock !== undefined) giveBlock(this.#nextBlock)
    this.cancel()
  }
}

const NONE = new Uint8Array(0)
const BLOCK_OCTETS = 131_072
/** 8 MiB wait for the next download; more is left to the garbage collector. */
const LIMIT_FREE_BLOCKS = 64
const freeBlocks: Buffer[] = []

function takeBlock(): Buffer {
  return freeBlocks.pop() ?? Buffer.allocUnsafeSlow(BLOCK_OCTETS)
}

function giveBlock(block: Buffer): void {
  if (freeBlocks.length < LIMIT_FREE_BLOCKS) freeBlocks.push(block)
}

const readDescriptor = promisify(read)

/** @returns false when the file ends before the octets are full */
async function fill(file: OpenFile, octets: Buffer, position: number): Promise<boolean> {
  let filled = 0
  while (filled < octets.length) {
    const { bytesRead } = await readDescriptor(
      file.descriptor,
      octets,
      filled,
      octets.length - filled,
      position + filled,
    )
    if (bytesRead === 0) return false
    filled += bytesRead
  }
  return true
}
