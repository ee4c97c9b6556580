import { randomUUID } from 'node:crypto'
import type { Request, ResponseHead, Source } from '#http/exchange.ts'
import { layOutByteranges } from '#http/wire/byteranges.ts'
import { ByterangesSource } from '#http/wire/byteranges-source.ts'
import { isRangeCurrent } from '#http/wire/conditional.ts'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import { formatContentRange, type OctetRange, parseRanges, type RangeChoice } from '#http/wire/range.ts'
import type { Stored } from './stored.ts'
import { WithFields } from './wire/with-fields.ts'

/** The content of a response, which can be opened at any place; `open` gives null when it is gone. */
export type Content = {
  readonly totalOctets: number
  readonly open: (range: OctetRange) => Source | null
}

/** A response, and octets of its content that the store has given. */
export type Answer = { readonly head: ResponseHead; readonly body: Source | null }

/** What a request wants of a stored response whose whole has so many octets (RFC 9110 §13.1.5, §14.2). */
export function choose(request: Request, stored: Stored, totalOctets: number): RangeChoice {
  const range = request.fields.get('range')
  const isAsked = range !== undefined && request.method === 'GET' && IN_PARTS.has(stored.status)
  return isAsked && isRangeCurrent(request.fields, stored.validators, stored.responseMs)
    ? parseRanges(range, totalOctets)
    : 'whole'
}

/** Statuses of what is answered in parts: a whole, and what is put together from parts. */
const IN_PARTS: ReadonlySet<number> = new Set([200, 206])

/**
 * Answer with the parts that a request wants, or that there are none (RFC 9110 §15.3.7, §15.5.17).
 *
 * @param fields of the whole
 * @returns null when the content is gone
 */
export function answerRanges(
  choice: Exclude<RangeChoice, 'whole'>,
  fields: Fields,
  content: Content,
): Answer | null {
  if (choice === 'unsatisfiable') return { head: unsatisfiable(fields, content.totalOctets), body: null }
  if (choice.length > 1) return answerSeveral(choice, fields, content)
  const [range] = choice
  const body = content.open(range)
  const place = fieldsOf([['Content-Range', formatContentRange(range, content.totalOctets)]])
  const lengthOctets = range.last - range.first + 1
  const head = { status: 206, fields: new WithFields(without(fields, OF_CONTENT), place), lengthOctets }
  return body === null ? null : { head, body }
}

function answerSeveral(
  ranges: readonly OctetRange[],
  fields: Fields,
  { totalOctets, open }: Content,
): Answer {
  const layout = layOutByteranges(ranges, totalOctets, fields.get('content-type'), randomUUID())
  const type = fieldsOf([['Content-Type', layout.contentType]])
  const all = new WithFields(without(fields, OF_MULTIPART), type)
  const body = new ByterangesSource(layout, (range) => open(range) ?? GONE)
  return { head: { status: 206, fields: all, lengthOctets: layout.lengthOctets }, body }
}

function unsatisfiable(fields: Fields, totalOctets: number): ResponseHead {
  const place = fieldsOf([['Content-Range', formatContentRange(null, totalOctets)]])
  return { status: 416, fields: new WithFields(only(fields, IN_304), place), lengthOctets: 0 }
}

/** What made room for another while what stands before it was sent. */
export const GONE: Source = {
  read: () => Promise.reject(new Error('The object has made room for another')),
  cancel() {},
}

/** RFC 9530 §2: sums of the content that is sent, which is another one in a part. */
const OF_CONTENT: readonly string[] = ['content-digest', 'content-md5']
const OF_MULTIPART: readonly string[] = [...OF_CONTENT, 'content-type']

/** RFC 9110 §15.4.5: what a 304 says again. */
export const IN_304: ReadonlySet<string> = new Set(
  'age cache-control cache-status content-location date etag expires last-modified vary via'.split(' '),
)

/** The lines with these names, in lower case. */
export function only(fields: Fields, names: ReadonlySet<string>): Fields {
  return filtered(fields, (name) => names.has(name))
}

function without(fields: Fields, names: readonly string[]): Fields {
  return names.some((name) => fields.get(name) !== undefined)
    ? filtered(fields, (name) => !names.includes(name))
    : fields
}

function filtered(fields: Fields, holds: (name: string) => boolean): Fields {
  const pairs: [string, string][] = []
  fields.each((name, value) => {
    if (holds(name.toLowerCase())) pairs.push([name, value])
  })
  return fieldsOf(pairs)
}
