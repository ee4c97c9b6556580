import type { EndReason, Source } from '#http/exchange.ts'
import type { Fill } from './store/store.ts'

/** How much a fill takes from the origin at a time. */
const PIECE_OCTETS = 262_144

/** What may wait in memory for the client of a response of unknown length: it may turn out too large to keep. */
const QUEUE_OCTETS = 2 ** 20

/**
 * Move a body into the store as fast as both sides can, whatever becomes of the clients.
 *
 * @param resume asked when the origin breaks off: the rest, from an offset, or null when it cannot be had
 * @param tee also gets what comes, when it wants it; a promise that it gives is waited for
 */
export async function pour(
  body: Source,
  fill: Fill,
  resume: (fromOctet: number) => Promise<Source | null>,
  tee?: Tee,
): Promise<'whole' | 'broke off' | 'no room' | 'too large'> {
  let source: Source | null = body
  let octets = 0
  while (source !== null) {
    try {
      for (;;) {
        const read = source.read(PIECE_OCTETS)
        const piece = read instanceof Promise ? await read : read
        if (piece === null) {
          fill.end()
          tee?.end()
          return fill.object.state === 'failed' ? withoutRoom(octets) : 'whole'
        }
        octets += piece.length
        tee?.write(piece)
        const written = fill.write(piece)
        if (written instanceof Promise) await written
        // What has come with the head is stored before anybody is answered: nothing is waited for without need.
        if (tee?.room !== undefined) await tee.room
        if (fill.object.state === 'failed' && tee?.isWanted !== true) {
          source.cancel('limit')
          return withoutRoom(octets)
        }
      }
    } catch {
      source = await resume(octets)
    }
  }
  fill.fail()
  tee?.fail()
  return 'broke off'
}

/** What is small finds no room for a moment, when all is in use; what is large finds none the next time either. */
export function withoutRoom(octets: number): 'no room' | 'too large' {
  return octets < LARGE_OCTETS ? 'no room' : 'too large'
}

const LARGE_OCTETS = 2 ** 20

/**
 * The client of a response whose length nobody knows: fed beside the store, because the store may have to give up when
 * it turns out too large. Up to `QUEUE_OCTETS` wait for it; then it slows the fill down, until it leaves.
 */
export class Tee {
  isWanted = true
  /** resolves when the client has taken enough */
  room: Promise<void> | undefined = undefined
  readonly #queue: Uint8Array[] = []
  #octets = 0
  #state: 'open' | 'ended' | 'failed' = 'open'
  #makeRoom: () => void = () => {}
  #reader: PromiseWithResolvers<void> | undefined

  /** What the client reads. */
  readonly source: Source = {
    read: (limitOctets) => this.#read(limitOctets),
    cancel: (_reason: EndReason) => {
      this.isWanted = false
      this.#queue.length = 0
      this.#makeRoom()
    },
  }

  write(piece: Uint8Array): void {
    if (!this.isWanted) return
    this.#queue.push(Buffer.from(piece))
    this.#octets += piece.length
    if (this.#octets >= QUEUE_OCTETS && this.room === undefined) {
      this.room = new Promise((resolve) => {
        this.#makeRoom = () => {
          this.room = undefined
          resolve()
        }
      })
    }
    this.#wake()
  }

  end(): void {
    this.#state = 'ended'
    this.#wake()
  }

  fail(): void {
    this.#state = 'failed'
    this.#wake()
  }

  #wake(): void {
    this.#reader?.resolve()
    this.#reader = undefined
  }

  #read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    const first = this.#queue[0]
    if (first !== undefined) {
      const piece = first.subarray(0, limitOctets)
      if (piece.length === first.length) this.#queue.shift()
      else this.#queue[0] = first.subarray(limitOctets)
      this.#octets -= piece.length
      if (this.#octets < QUEUE_OCTETS / 2) this.#makeRoom()
      return piece
    }
    if (this.#state === 'ended' || !this.isWanted) return null
    if (this.#state === 'failed') return Promise.reject(new Error('The origin broke off'))
    this.#reader = Promise.withResolvers()
    return this.#reader.promise.then(() => this.#read(limitOctets))
  }
}
