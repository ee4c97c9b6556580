import { createHash } from 'node:crypto'
import type { Exchange, Source } from '#http/exchange.ts'
import { evaluatePreconditions, isRangeCurrent } from '#http/wire/conditional.ts'
import { parseDate } from '#http/wire/date.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { formatContentRange, parseRanges } from '#http/wire/range.ts'
import { MediaFault } from './wire/fault.ts'

/** Something that is served of a film. */
export type Content = {
  readonly mediaType: string
  /** strong, with quotes */
  readonly etag: string
  /** its URL names its version: it never changes */
  readonly isImmutable: boolean
  readonly lastModified: string | undefined
  /** under which it is purged: the path of the film */
  readonly path: string
  readonly octets: number
  /** what CMSD says of it */
  readonly cmsd?: string
  /** how long it took to make it, as far as its length is known; absent: that says nothing */
  readonly madeMs?: number
  /** all octets, or what reads them, which is not begun before somebody reads */
  readonly body: Uint8Array | (() => AsyncGenerator<Uint8Array>)
}

/** A year: RFC 9111 has no longer one, and RFC 8246 says that nobody need ask again. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

/** Answer GET or HEAD: preconditions, then one range of what is at hand (RFC 9110 §13.2.2, §14.2). */
export function respondContent(exchange: Exchange, content: Content, nowMs: number): void {
  const { method, fields } = exchange.request
  const { etag, lastModified, octets, body } = content
  const lastModifiedMs = lastModified === undefined ? undefined : parseDate(lastModified, nowMs)
  const validators = { etag, lastModifiedMs }
  const precondition = evaluatePreconditions(method, fields, validators, nowMs)
  if (precondition === 'failed') {
    const detail = 'The request sets a condition, and this film does not fulfil it.'
    return respondPage(exchange, { status: 412, detail, fault: 'client' })
  }
  const lines: [string, string][] = [
    ['ETag', etag],
    ['Cache-Control', content.isImmutable ? IMMUTABLE : 'no-cache'],
    ...(lastModified === undefined ? [] : [['Last-Modified', lastModified] as [string, string]]),
  ]
  if (precondition === 'not modified') {
    exchange.respond({ status: 304, fields: fieldsOf(lines), lengthOctets: octets }, null)
    return
  }
  lines.push(
    ['Content-Type', content.mediaType],
    ['Accept-Ranges', 'bytes'],
    ['X-Content-Type-Options', 'nosniff'],
  )
  if (content.cmsd !== undefined) lines.push(['CMSD-Static', content.cmsd])
  if (content.madeMs !== undefined) lines.push(['Server-Timing', `render;dur=${content.madeMs.toFixed(2)}`])
  if (content.isImmutable) lines.push(['Cache-Tag', purgeTag(content.path)])
  const range = method === 'GET' && body instanceof Uint8Array ? fields.get('range') : undefined
  if (range !== undefined && body instanceof Uint8Array && isRangeCurrent(fields, validators, nowMs)) {
    const choice = parseRanges(range, octets)
    if (choice === 'unsatisfiable') {
      const place = ['Content-Range', formatContentRange(null, octets)] as const
      const detail = `It has ${octets} octets; the range lies behind them.`
      return respondPage(exchange, { status: 416, detail, fault: 'client', fields: [place] })
    }
    // Several ranges are answered with the whole, as RFC 9110 §14.2 permits: nobody reads playlists so.
    if (choice !== 'whole' && choice.length === 1) {
      const [{ first, last }] = choice
      lines.push(['Content-Range', formatContentRange({ first, last }, octets)])
      const part = body.subarray(first, last + 1)
      exchange.respond({ status: 206, fields: fieldsOf(lines), lengthOctets: part.length }, part)
      return
    }
  }
  const whole = body instanceof Uint8Array ? body : sourceOfPieces(body())
  exchange.respond({ status: 200, fields: fieldsOf(lines), lengthOctets: octets }, whole)
}

/** A tag by what it is of: for what is written anew each time, and for what has a version. */
export function etagOf(octets: Uint8Array): string {
  return `"${createHash('sha256').update(octets).digest('base64url').slice(0, 16)}"`
}

/** The name under which everything made of a film is purged; a comma would begin another one. */
export function purgeTag(path: string): string {
  return path.replaceAll(',', '%2C')
}

/** Say why there is nothing: what stands in the note is for log and explain. */
export function respondFault(exchange: Exchange, error: unknown): void {
  const fault = error instanceof MediaFault ? error : null
  const status = fault === null ? 500 : fault.status === 409 ? 404 : fault.status
  exchange.note.reason = fault?.message ?? String(error)
  const whose = status >= 500 ? (fault === null ? 'portico' : 'origin') : 'client'
  const detail = fault === null ? 'The film could not be read.' : `${fault.message}.`
  respondPage(exchange, { status, detail, fault: status === 422 ? null : whose })
}

/** A body that somebody else makes, piece by piece; what is left of a piece comes next. */
function sourceOfPieces(pieces: AsyncGenerator<Uint8Array>): Source {
  let left: Uint8Array | null = null
  let isOver = false
  const cut = (piece: Uint8Array, limitOctets: number): Uint8Array => {
    left = piece.length > limitOctets ? piece.subarray(limitOctets) : null
    return piece.length > limitOctets ? piece.subarray(0, limitOctets) : piece
  }
  return {
    read(limitOctets) {
      if (left !== null) return cut(left, limitOctets)
      if (isOver) return null
      return nextOf(pieces).then((piece) => {
        if (piece !== null) return cut(piece, limitOctets)
        isOver = true
        return null
      })
    },
    cancel() {
      left = null
      isOver = true
      // What it had begun to read ends by itself.
      pieces.return(undefined).catch(() => {})
    },
  }
}

/** The next piece that has octets; null at the end. */
async function nextOf(pieces: AsyncGenerator<Uint8Array>): Promise<Uint8Array | null> {
  for (;;) {
    const { value, done } = await pieces.next()
    if (done === true) return null
    if (value.length > 0) return value
  }
}
