import { type FileHandle, open } from 'node:fs/promises'
import type { Source } from '#http/exchange.ts'

/** A stretch of a file. */
export type Piece = { readonly path: string; readonly from: number; readonly octets: number }

/** The next piece, or a promise of one; null at the end. A promise that rejects breaks the body off. */
export type NextPiece = () => Piece | null | Promise<Piece | null>

const BLOCK_OCTETS = 262_144

/** Pieces of files behind each other as a body; a piece that is still to come is waited for. */
export class PiecesSource implements Source {
  readonly #next: NextPiece
  readonly #block = Buffer.allocUnsafe(BLOCK_OCTETS)
  #file: { readonly path: string; readonly handle: FileHandle } | null = null
  #piece: Piece | null = null
  #at = 0
  #left: Uint8Array = this.#block.subarray(0, 0)
  #reading: Promise<Uint8Array | null> | null = null
  #isOver = false

  constructor(next: NextPiece) {
    this.#next = next
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#left.length > 0) return this.#give(limitOctets)
    if (this.#isOver) return null
    this.#reading = this.#fill(limitOctets).finally(() => {
      this.#reading = null
      if (this.#isOver) void this.#close()
    })
    return this.#reading
  }

  cancel(): void {
    this.#isOver = true
    // The number of a file may not be given to another one while it is read from.
    if (this.#reading === null) void this.#close()
  }

  #give(limitOctets: number): Uint8Array {
    const octets = this.#left.subarray(0, limitOctets)
    this.#left = this.#left.subarray(octets.length)
    return octets
  }

  async #fill(limitOctets: number): Promise<Uint8Array | null> {
    while (this.#piece === null || this.#at === this.#piece.octets) {
      this.#piece = await this.#next()
      this.#at = 0
      if (this.#piece !== null && !this.#isOver) continue
      this.#isOver = true
      return null
    }
    const { path, from, octets } = this.#piece
    if (this.#file?.path !== path) {
      await this.#close()
      this.#file = { path, handle: await open(path) }
    }
    const length = Math.min(BLOCK_OCTETS, octets - this.#at)
    const { bytesRead } = await this.#file!.handle.read(this.#block, 0, length, from + this.#at)
    if (bytesRead === 0) throw new Error(`${path} is shorter than its journal says`)
    this.#at += bytesRead
    this.#left = this.#block.subarray(0, bytesRead)
    return this.#give(limitOctets)
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.handle.close()
  }
}

/** Some octets of pieces that lie behind each other. */
export function rangeOfPieces(pieces: readonly Piece[], first: number, octets: number): Piece[] {
  const found: Piece[] = []
  let at = 0
  for (const piece of pieces) {
    const start = Math.max(first - at, 0)
    const end = Math.min(first + octets - at, piece.octets)
    at += piece.octets
    if (start < end) found.push({ path: piece.path, from: piece.from + start, octets: end - start })
  }
  return found
}
