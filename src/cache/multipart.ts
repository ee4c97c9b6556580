import type { EndReason, Source } from '#http/exchange.ts'
import { formatContentRange, type OctetRange } from '#http/wire/range.ts'

/** Several parts of one content in one response (RFC 9110 §14.6). */
export type Multipart = { readonly type: string; readonly lengthOctets: number; readonly body: Source }

/** Not in any content by chance: no content is looked through for it. */
const BOUNDARY = 'portico-part-5f1e0d2c9b7a4836'

/**
 * Put ranges of a content together as multipart/byteranges (RFC 9110 §14.6).
 *
 * @param read opens the content from an offset to (not including) another
 */
export function multipart(
  ranges: readonly OctetRange[],
  totalOctets: number,
  contentType: string | undefined,
  read: (from: number, to: number) => Source | null,
): Multipart {
  const heads = ranges.map((range, i) => {
    const type = contentType === undefined ? '' : `Content-Type: ${contentType}\r\n`
    const place = `Content-Range: ${formatContentRange(range, totalOctets)}\r\n`
    return Buffer.from(`${i === 0 ? '' : '\r\n'}--${BOUNDARY}\r\n${type}${place}\r\n`, 'latin1')
  })
  const end = Buffer.from(`\r\n--${BOUNDARY}--\r\n`)
  const contentOctets = ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  const headOctets = heads.reduce((sum, head) => sum + head.length, 0)
  return {
    type: `multipart/byteranges; boundary=${BOUNDARY}`,
    lengthOctets: headOctets + contentOctets + end.length,
    body: inTurn([
      ...ranges.flatMap(({ first, last }, i): Opener[] => [() => heads[i]!, () => read(first, last + 1)]),
      () => end,
    ]),
  }
}

/** Opens a piece when its turn comes. */
export type Opener = () => Uint8Array | Source | Promise<Source> | null

/** Octets and sources one after the other; a source is opened when its turn comes. */
export function inTurn(pieces: readonly Opener[]): Source {
  let next = 0
  let open: Source | null = null
  let isOver = false
  const take = (limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> => {
    while (!isOver) {
      if (open === null) {
        const piece = pieces[next++]?.()
        if (piece === undefined) return null
        if (piece === null) return Promise.reject(new Error('The stored part has made room for another'))
        if (piece instanceof Uint8Array) return piece
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
      open = null
    },
  }
}
