import { close, fstatSync, open, read } from 'node:fs'
import { promisify } from 'node:util'
import type { Source } from '#http/exchange.ts'
import type { OctetRange } from '#http/wire/range.ts'

/** A blob that is open: it does not change, and stays readable when its name goes. */
export type OpenBlob = { readonly descriptor: number; readonly octets: number }

const openDescriptor = promisify(open)

/** @returns null when there is no such file */
export async function openBlob(path: string): Promise<OpenBlob | null> {
  try {
    const descriptor = await openDescriptor(path, 'r')
    return { descriptor, octets: fstatSync(descriptor).size }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Give a blob back. */
export function closeBlob({ descriptor }: OpenBlob): void {
  close(descriptor)
}

/** A part of a blob as a body. It closes the blob. While the client takes one block, the disk fills the other. */
export class BlobSource implements Source {
  readonly #blob: OpenBlob
  #at: number
  readonly #end: number
  #left: Uint8Array = NONE
  #given: Buffer | undefined
  #spare: Buffer | undefined
  #filling: Promise<Buffer> | undefined
  #isOver = false

  constructor(blob: OpenBlob, range: OctetRange) {
    this.#blob = blob
    this.#at = range.first
    this.#end = range.last + 1
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#left.length > 0) return this.#give(limitOctets)
    this.#startFilling()
    if (this.#filling === undefined) {
      this.cancel()
      return null
    }
    return this.#filling.then((octets) => {
      this.#filling = undefined
      this.#spare = this.#given
      this.#given = octets
      this.#left = octets
      if (!this.#isOver) this.#startFilling()
      return this.#give(limitOctets)
    })
  }

  cancel(): void {
    if (this.#isOver) return
    this.#isOver = true
    // Before the disk is ready, the number of the descriptor may not be given to another file.
    const release = (): void => closeBlob(this.#blob)
    if (this.#filling === undefined) release()
    else this.#filling.then(release, release)
  }

  #give(limitOctets: number): Uint8Array {
    const octets = this.#left.subarray(0, limitOctets)
    this.#left = this.#left.subarray(octets.length)
    return octets
  }

  #startFilling(): void {
    const length = Math.min(BLOCK_OCTETS, this.#end - this.#at)
    if (this.#filling !== undefined || length === 0) return
    const block = this.#spare ?? Buffer.allocUnsafeSlow(length)
    this.#filling = fill(this.#blob.descriptor, block.subarray(0, length), this.#at)
    this.#filling.catch(() => {})
    this.#at += length
  }
}

const NONE = new Uint8Array(0)
const BLOCK_OCTETS = 262_144
const readDescriptor = promisify(read)

async function fill(descriptor: number, octets: Buffer, position: number): Promise<Buffer> {
  let filled = 0
  while (filled < octets.length) {
    const left = octets.length - filled
    const { bytesRead } = await readDescriptor(descriptor, octets, filled, left, position + filled)
    if (bytesRead === 0) throw new Error('A blob has become shorter while it was sent')
    filled += bytesRead
  }
  return octets
}
