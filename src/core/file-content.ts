import { readSync } from 'node:fs'
import type { FileSpan, Source } from '#http/exchange.ts'
import { kernelFile } from './kernel-file.ts'
import { readFully } from './read-fully.ts'
import { createSpareBlocks } from './spare-blocks.ts'

/** A file that is open, and whose octets do not change. */
export type Descriptor = {
  readonly descriptor: number
  /** nobody reads it any more */
  close(): void
}

/** From the first octet to the last. */
type Range = { readonly first: number; readonly last: number }

/** Files up to this length are read at once and sent in one write. */
export const LIMIT_WHOLE_OCTETS = 65_536

/**
 * Read a short part of a file.
 *
 * @returns null when the file has become shorter since it was opened
 */
export async function readWhole(file: Descriptor, range: Range): Promise<Uint8Array | null> {
  const octets = Buffer.allocUnsafe(range.last - range.first + 1)
  return (await readFully(file.descriptor, octets, range.first)) === octets.length ? octets : null
}

/** Read a few octets now; none when the file cannot be read. */
export function readNow(descriptor: number, position: number, lengthOctets: number): Uint8Array {
  const octets = Buffer.allocUnsafe(lengthOctets)
  try {
    return octets.subarray(0, readSync(descriptor, octets, 0, lengthOctets, position))
  } catch {
    return octets.subarray(0, 0)
  }
}

/**
 * Part of a file as a body. It closes the file.
 *
 * For a client that takes octets quickly two blocks take turns: while it takes one, the disk fills the other. Any other
 * client has one block, so that a thousand who have paused cost little.
 */
export class FileContent implements Source {
  readonly #file: Descriptor
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
  #givenOctets = 0
  #givenBefore = 0
  #readsAhead = false

  constructor(file: Descriptor, range: Range) {
    this.#file = file
    this.#at = range.first
    this.#end = range.last + 1
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#left.length > 0) return this.#give(limitOctets)
    if (this.#next !== undefined) return this.#turn(this.#next, limitOctets)
    if (this.#filling === undefined && !this.#isDone) {
      this.#nextBlock ??= this.#block
      this.#block = undefined
      if (this.#fillNow()) return this.#turn(this.#next!, limitOctets)
      this.#startFilling()
    }
    // Also when it has failed: the receiver must not take what it got for the whole.
    if (this.#filling !== undefined) {
      return this.#filling.then(() => (this.#next === undefined ? null : this.#turn(this.#next, limitOctets)))
    }
    this.#finish()
    return null
  }

  span(limitOctets: number): FileSpan | undefined {
    const isRead = this.#left.length > 0 || this.#next !== undefined || this.#filling !== undefined
    if (isRead || this.#isDone) return undefined
    if (!this.#isAtHand(limitOctets)) return undefined
    const lengthOctets = Math.min(limitOctets, this.#end - this.#at)
    return { descriptor: this.#file.descriptor, position: this.#at, lengthOctets }
  }

  skip(octets: number): void {
    this.#at += octets
    // The socket has taken what was given before.
    if (this.#block !== undefined) blocks.give(this.#block)
    this.#block = undefined
    if (this.#at === this.#end) this.#close()
  }

  aheadOctets(): number {
    return this.#left.length + (this.#next?.length ?? 0)
  }

  cancel(): void {
    if (this.#isDone) return
    this.#isDone = true
    forget(this)
    this.#left = NONE
    this.#next = undefined
    // The blocks are not used again: the last octets given may still be on their way into a socket.
    this.#block = this.#nextBlock = undefined
    // Before the disk is ready, the number of the descriptor may not be given to another file.
    if (this.#filling === undefined) this.#close()
    else this.#filling.finally(() => this.#close()).catch(() => {})
  }

  /** A second has passed. Who takes little needs no read-ahead, and what was read ahead can be read again. */
  look(): void {
    const takenOctets = this.#givenOctets - this.#givenBefore
    this.#givenBefore = this.#givenOctets
    this.#readsAhead = takenOctets >= QUICK_OCTETS
    if (this.#readsAhead || this.#next === undefined || this.#isClosed) return
    this.#at -= this.#next.length
    this.#next = undefined
    blocks.give(this.#nextBlock!)
    this.#nextBlock = undefined
  }

  #isAtHand(limitOctets: number): boolean {
    const lengthOctets = Math.min(limitOctets, this.#end - this.#at)
    return lengthOctets > 0 && kernelFile?.isInMemory(this.#file.descriptor, this.#at, lengthOctets) === true
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#file.close()
  }

  #give(limitOctets: number): Uint8Array {
    const octets = this.#left.subarray(0, limitOctets)
    this.#left = this.#left.subarray(octets.length)
    this.#givenOctets += octets.length
    return octets
  }

  #turn(next: Uint8Array, limitOctets: number): Uint8Array {
    const emptied = this.#block
    this.#block = this.#nextBlock
    this.#nextBlock = emptied
    this.#left = next
    this.#next = undefined
    this.#readsAhead ||= this.#givenOctets - this.#givenBefore >= QUICK_OCTETS
    // What lies in memory is not waited for.
    if (this.#readsAhead && !this.#isAtHand(BLOCK_OCTETS)) this.#startFilling()
    return this.#give(limitOctets)
  }

  /** What lies in memory is read at once: to wait for another thread costs more. */
  #fillNow(): boolean {
    if (!this.#isAtHand(BLOCK_OCTETS)) return false
    this.#nextBlock ??= blocks.take()
    const octets = this.#nextBlock.subarray(0, this.#end - this.#at)
    try {
      if (readSync(this.#file.descriptor, octets, 0, octets.length, this.#at) < octets.length) return false
    } catch {
      return false
    }
    this.#at += octets.length
    if (this.#at === this.#end) this.#close()
    this.#next = octets
    return true
  }

  #startFilling(): void {
    const length = Math.min(BLOCK_OCTETS, this.#end - this.#at)
    if (length === 0) return
    this.#nextBlock ??= blocks.take()
    watch(this)
    const octets = this.#nextBlock.subarray(0, length)
    this.#filling = readFully(this.#file.descriptor, octets, this.#at).then((filled) => {
      if (filled < length) throw new Error('The file has become shorter while it was sent')
      this.#filling = undefined
      this.#at += length
      if (this.#at === this.#end) this.#close()
      if (!this.#isDone) this.#next = octets
    })
    this.#filling.catch(() => {
      forget(this)
      this.#close()
    })
  }

  #finish(): void {
    if (this.#block !== undefined) blocks.give(this.#block)
    if (this.#nextBlock !== undefined) blocks.give(this.#nextBlock)
    this.cancel()
  }
}

/** Contents under way, looked at once a second. */
const flowing = new Set<FileContent>()
let looking: NodeJS.Timeout | undefined

function watch(content: FileContent): void {
  flowing.add(content)
  looking ??= setInterval(() => {
    for (const each of flowing) each.look()
  }, LOOK_MS).unref()
}

function forget(content: FileContent): void {
  flowing.delete(content)
  if (flowing.size > 0) return
  clearInterval(looking)
  looking = undefined
}

const LOOK_MS = 1000
/** A client that takes so much in a second could wait for the disk; for slower ones the kernel's buffer lasts longer. */
const QUICK_OCTETS = 4_194_304
const NONE = new Uint8Array(0)
const BLOCK_OCTETS = 131_072
/** 8 MiB wait for the next download. */
const blocks = createSpareBlocks(BLOCK_OCTETS, 64)
