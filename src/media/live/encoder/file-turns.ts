import type { FedFile, FilePlace } from '#media/live/request.ts'

type Turn = { reading: string | null; last: number | null }
type Waiter = { readonly number: number; readonly isDue: () => boolean; readonly settle: () => void }

/** Who waits for so long waits for what was lost: an encoder that begins in the midst of its stream, or skips a file. */
const WAIT_MS = 3000
/** Each is a connection that holds some octets. */
const LIMIT_WAITING = 256

/**
 * Whose turn it is, of the files that a stream comes by.
 *
 * Encoders do not wait for the answer to one file before they send the next, on a connection that another worker may
 * have got: the end of one can come after the beginning of the next, or a segment before what stands before it.
 */
export class FileTurns {
  readonly #placeOf: (input: string, file: FedFile) => FilePlace | null
  readonly #turns = new Map<string, Turn>()
  readonly #waiters = new Set<Waiter>()

  /** @param placeOf where a file belongs; null as long as what stands before it has not come */
  constructor(placeOf: (input: string, file: FedFile) => FilePlace | null) {
    this.#placeOf = placeOf
  }

  /**
   * Wait until a file may be read; from then on it is, until its end is told.
   *
   * @returns where it belongs
   */
  async begin(input: string, file: FedFile): Promise<FilePlace> {
    const placed = (): FilePlace => this.#placeOf(input, file) ?? { input, number: file.number }
    await this.#wait(
      file.number ?? 0,
      () => this.#placeOf(input, file) !== null && this.#isDue(placed()),
      () => {
        const place = placed()
        const last = place.number ?? this.#turns.get(place.input)?.last ?? null
        this.#turns.set(place.input, { reading: file.id, last })
      },
    )
    return placed()
  }

  /** A file has been read to its end. */
  end(input: string, { id }: FedFile): void {
    const turn = this.#turns.get(input)
    if (turn?.reading === id) turn.reading = null
    const inOrder = [...this.#waiters].sort((a, b) => a.number - b.number)
    for (const { isDue, settle } of inOrder) if (isDue()) settle()
  }

  /** Wait until all that has begun has ended. */
  rest(): Promise<void> {
    return this.#wait(
      Infinity,
      () => this.#turns.values().every(({ reading }) => reading === null),
      () => {},
    )
  }

  /** Nobody waits any more. */
  release(): void {
    for (const { settle } of this.#waiters) settle()
  }

  #isDue({ input, number }: FilePlace): boolean {
    const turn = this.#turns.get(input)
    if (turn === undefined) return true
    // A lower number is that of an encoder that has begun to count anew.
    return turn.reading === null && (number === null || turn.last === null || number <= turn.last + 1)
  }

  #wait(number: number, isDue: () => boolean, go: () => void): Promise<void> {
    return new Promise((resolve) => {
      if (isDue() || this.#waiters.size >= LIMIT_WAITING) {
        go()
        return resolve()
      }
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        go()
        resolve()
      }
      const timer = setTimeout(settle, WAIT_MS).unref()
      const waiter = { number, isDue, settle }
      this.#waiters.add(waiter)
    })
  }
}
