import { randomBytes } from 'node:crypto'
import type { Exchange } from '#http/exchange.ts'
import { chooseCoding } from '#http/wire/accept-encoding.ts'
import { layOutByteranges } from '#http/wire/byteranges.ts'
import { ByterangesSource } from '#http/wire/byteranges-source.ts'
import { evaluatePreconditions, isRangeCurrent } from '#http/wire/conditional.ts'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { type OctetRange, parseRanges, type RangeChoice } from '#http/wire/range.ts'
import { PRECONDITION_FAILED, unsatisfiablePage } from './pages.ts'
import { contentOf, fieldsOfPart, type Representation, type Resource } from './representation.ts'

/** Answer GET or HEAD with a file: preconditions, then ranges, then the content (RFC 9110 §13.2.2). */
export function respondResource(exchange: Exchange, resource: Resource, nowMs: number): void {
  const { method, fields } = exchange.request
  const file = select(resource, fields)
  const precondition = evaluatePreconditions(method, fields, file, nowMs)
  if (precondition === 'failed') return respondPage(exchange, PRECONDITION_FAILED)
  const { lengthOctets } = file
  if (precondition === 'not modified') {
    exchange.respond({ status: 304, fields: file.ofNotModified, lengthOctets }, null)
    return
  }
  // RFC 9110 §14.2: Range means something with GET only.
  const range = method === 'GET' ? fields.get('range') : undefined
  const isAsked = range !== undefined && isRangeCurrent(fields, file, nowMs)
  const choice: RangeChoice = isAsked ? parseRanges(range, lengthOctets) : 'whole'
  if (choice === 'unsatisfiable') return respondPage(exchange, unsatisfiablePage(lengthOctets))
  if (choice !== 'whole') return respondParts(exchange, file, choice)
  const head = { status: 200, fields: file.fields, lengthOctets, mediaRate: file.mediaRate }
  if (method === 'HEAD' || lengthOctets === 0) exchange.respond(head, null)
  else exchange.respond(head, file.octets ?? contentOf(file, { first: 0, last: lengthOctets - 1 }))
}

/** As the client accepts it (RFC 9110 §12.5.3). */
function select({ plain, compressed }: Resource, fields: Fields): Representation {
  if (compressed.length === 0) return plain
  const { coding } = chooseCoding(
    fields.all('accept-encoding'),
    compressed.flatMap((file) => file.coding ?? []),
  )
  return compressed.find((file) => file.coding === coding) ?? plain
}

function respondParts(
  exchange: Exchange,
  file: Representation,
  ranges: readonly [OctetRange, ...OctetRange[]],
): void {
  const { lengthOctets, mediaType, mediaRate } = file
  const [range] = ranges
  if (ranges.length === 1) {
    const part = {
      status: 206,
      fields: fieldsOfPart(file, range),
      lengthOctets: range.last - range.first + 1,
    }
    exchange.respond({ ...part, mediaRate }, contentOf(file, range))
    return
  }
  const layout = layOutByteranges(ranges, lengthOctets, mediaType, randomBytes(16).toString('hex'))
  const fields = fieldsOf([['Content-Type', layout.contentType], ...file.ofPart])
  const source = new ByterangesSource(layout, (part) => contentOf(file, part))
  exchange.respond({ status: 206, fields, lengthOctets: layout.lengthOctets }, source)
}
