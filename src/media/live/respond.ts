import type { Exchange, Source } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { formatContentRange, parseRanges } from '#http/wire/range.ts'
import type { Refusal } from '#http/wire/refusal.ts'
import { type Piece, PiecesSource, rangeOfPieces } from '#media/live/view/pieces-source.ts'

/** Field lines of a response. */
export type Lines = readonly (readonly [name: string, value: string])[]

/** Pages of other sites may play what is public; a name in a URL never means other octets. */
export const FOREVER: Lines = [
  ['Access-Control-Allow-Origin', '*'],
  ['Cache-Control', 'public, max-age=31536000, immutable'],
]

/** Who keeps a playlist has an old one after a moment. */
export const FRESH: Lines = [
  ['Access-Control-Allow-Origin', '*'],
  ['Cache-Control', 'no-cache'],
]

/** A playlist that holds what its URL asks for does not become wrong: it is only no longer the newest. */
export function keptFor(seconds: number): Lines {
  return [
    ['Access-Control-Allow-Origin', '*'],
    ['Cache-Control', `public, max-age=${seconds}`],
  ]
}

/** Say why a request is not followed. */
export function respondRefusal(exchange: Exchange, { status, reason }: Refusal): void {
  const detail = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
  const challenge =
    status === 401 ? [['WWW-Authenticate', 'Bearer realm="live", Basic realm="live"'] as const] : []
  const fields = [['Access-Control-Allow-Origin', '*'] as const, ...challenge]
  respondPage(exchange, { status, detail, fault: status >= 500 ? 'portico' : 'client', fields })
}

/** Answer with a text that is at hand. */
export function respondText(exchange: Exchange, type: string, octets: Uint8Array, lines: Lines): void {
  exchange.respond(
    { status: 200, fields: fieldsOf([['Content-Type', type], ...lines]), lengthOctets: octets.length },
    octets,
  )
}

/** Answer without content. */
export function respondEmpty(exchange: Exchange, status: number, lines: Lines = []): void {
  exchange.respond({ status, fields: fieldsOf(lines), lengthOctets: 0 }, null)
}

/** Answer with octets of files, or a range of them (RFC 9110 §14.2). */
export function respondPieces(
  exchange: Exchange,
  type: string,
  pieces: readonly Piece[],
  lines: Lines,
): void {
  const length = pieces.reduce((sum, { octets }) => sum + octets, 0)
  const about: Lines = [['Content-Type', type], ['Accept-Ranges', 'bytes'], ...lines]
  const range = exchange.request.method === 'GET' ? exchange.request.fields.get('range') : undefined
  const choice = range === undefined ? 'whole' : parseRanges(range, length)
  if (choice === 'unsatisfiable') {
    const fields: Lines = [...about, ['Content-Range', formatContentRange(null, length)]]
    return respondEmpty(exchange, 416, fields)
  }
  // Several ranges at once have no reader here: RFC 9110 §14.2 permits the whole.
  if (choice === 'whole' || choice.length > 1) {
    exchange.respond({ status: 200, fields: fieldsOf(about), lengthOctets: length }, bodyOf(pieces))
    return
  }
  const [one] = choice
  const octets = one.last - one.first + 1
  const fields = fieldsOf([...about, ['Content-Range', formatContentRange(one, length)]])
  exchange.respond(
    { status: 206, fields, lengthOctets: octets },
    bodyOf(rangeOfPieces(pieces, one.first, octets)),
  )
}

function bodyOf(pieces: readonly Piece[]): Source {
  let at = 0
  return new PiecesSource(() => pieces[at++] ?? null)
}
