/** As much as one read of a large content can bring: each read wakes the process, and is passed on as a whole. */
const BLOCK_OCTETS = 262_144
/** Of a connection: one that its reader has, one that waits for it, one that is read into. */
const LIMIT_BLOCKS = 3
/** Of all connections: 32 MiB. What comes beyond is read in smaller pieces. */
const LIMIT_ALL_BLOCKS = 128
/** 4 MiB wait for the next content. */
const LIMIT_SPARE_BLOCKS = 16

const spare: Buffer[] = []
/** blocks that exist, those in `spare` too */
let all = 0

/**
 * Memory that a large content is read into, over and over: what a reader has got is free when it asks for more.
 *
 * A socket is told where to read next right after each read. What it was told may be given back when it asks again, not
 * before.
 */
export class ReadBlocks {
  readonly #isInUse: (memory: ArrayBufferLike) => boolean
  #blocks: Buffer[] = []

  /** @param isInUse whether octets of it wait to be read, or were given to the reader of the content */
  constructor(isInUse: (memory: ArrayBufferLike) => boolean) {
    this.#isInUse = isInUse
  }

  /** Where to read next; undefined when there are too many blocks. */
  next(): Buffer | undefined {
    const free = this.#blocks.find((block) => !this.#isInUse(block.buffer))
    if (free !== undefined || this.#blocks.length === LIMIT_BLOCKS) return free
    const block = takeBlock()
    if (block !== undefined) this.#blocks.push(block)
    return block
  }

  /** The socket reads elsewhere now. Blocks in use are left to who uses them. */
  giveBack(): void {
    for (const block of this.#blocks) {
      if (spare.length < LIMIT_SPARE_BLOCKS && !this.#isInUse(block.buffer)) spare.push(block)
      else all--
    }
    this.#blocks = []
  }

  /** The socket is gone; an operation on its memory may be left. */
  drop(): void {
    all -= this.#blocks.length
    this.#blocks = []
  }
}

function takeBlock(): Buffer | undefined {
  const waiting = spare.pop()
  if (waiting !== undefined) return waiting
  if (all === LIMIT_ALL_BLOCKS) return undefined
  all++
  return Buffer.allocUnsafeSlow(BLOCK_OCTETS)
}
