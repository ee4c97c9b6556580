import type { EndReason, Source } from '#http/exchange.ts'

/** Opens a piece when its turn comes. */
export type Opener = () => Source | Promise<Source> | null

/**
 * Sources one after the other; a source is opened when its turn comes.
 *
 * @param opened one of them that was opened before; nobody will read it when all is cancelled
 */
export function inTurn(pieces: Iterable<Opener>, opened?: Source): Source {
  const openers = pieces[Symbol.iterator]()
  let open: Source | null = null
  let isOver = false
  const take = (limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> => {
    while (!isOver) {
      if (open === null) {
        const next = openers.next()
        if (next.done === true) return null
        const piece = next.value()
        if (piece === null) return Promise.reject(new Error('The stored part has made room for another'))
        if (piece instanceof Promise) return piece.then((source) => enter(source, limitOctets))
        open = piece
      }
      const octets = open.read(limitOctets)
      if (octets instanceof Promise) return octets.then((arrived) => arrived ?? leave(limitOctets))
      if (octets !== null) return octets
      open = null
    }
    return null
  }
  const enter = (source: Source, limitOctets: number) => {
    if (isOver) source.cancel('client left')
    open = source
    return take(limitOctets)
  }
  const leave = (limitOctets: number) => {
    open = null
    return take(limitOctets)
  }
  return {
    read: take,
    cancel(reason: EndReason) {
      isOver = true
      open?.cancel(reason)
      opened?.cancel(reason)
      open = null
    },
  }
}
