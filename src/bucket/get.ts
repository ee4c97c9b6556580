import { randomBytes } from 'node:crypto'
import { etagOf, type Stored } from '#bucket/store/change.ts'
import { isMovie } from '#files/wire/movie-rate.ts'
import type { EndReason, Exchange, ResponseHead, Source } from '#http/exchange.ts'
import { layOutByteranges } from '#http/wire/byteranges.ts'
import { ByterangesSource } from '#http/wire/byteranges-source.ts'
import { evaluatePreconditions, isRangeCurrent } from '#http/wire/conditional.ts'
import { formatDate } from '#http/wire/date.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { formatContentRange, type OctetRange, parseRanges, type RangeChoice } from '#http/wire/range.ts'
import type { Bucket } from './bucket.ts'
import { faultOf, type Lines } from './respond.ts'
import { isActive } from './type.ts'
import { Fault } from './wire/body.ts'
import { formatAttachment } from './wire/disposition.ts'

type Opener = Pick<Bucket, 'open'>

/**
 * Answer GET or HEAD with an object: preconditions, then ranges, then the content (RFC 9110 §13.2.2).
 *
 * @throws {Fault} for 412, 416, and when the object has gone meanwhile
 */
export async function respondObject(
  exchange: Exchange,
  stored: Stored,
  { bucket, more = [] }: { readonly bucket: Opener & Pick<Bucket, 'now'>; readonly more?: Lines },
): Promise<void> {
  const { method, fields } = exchange.request
  const nowMs = bucket.now()
  const { octets: length, createdMs } = stored
  const validators = { etag: etagOf(stored), lastModifiedMs: createdMs }
  const lines = [...linesOf(stored), ...more]
  const precondition = evaluatePreconditions(method, fields, validators, nowMs)
  if (precondition === 'failed') throw faultOf({ kind: 'precondition failed' })
  if (precondition === 'not modified') {
    exchange.respond(
      { status: 304, fields: fieldsOf(lines.filter(isOfNotModified)), lengthOctets: length },
      null,
    )
    return
  }
  const head = {
    status: 200,
    fields: fieldsOf([['Content-Type', stored.type], ...lines]),
    lengthOctets: length,
  }
  if (method === 'HEAD') return exchange.respond(head, null)
  // RFC 9110 §14.2: Range means something with GET only.
  const range = fields.get('range')
  const isAsked = range !== undefined && isRangeCurrent(fields, validators, nowMs)
  const choice: RangeChoice = isAsked ? parseRanges(range, length) : 'whole'
  if (choice === 'unsatisfiable') {
    const reason = `the object has ${length} octets, and the range begins after them`
    const contentRange = ['Content-Range', formatContentRange(null, length)] as const
    throw new Fault(416, reason, [contentRange])
  }
  const parts = { stored, lines, bucket }
  if (choice === 'whole' && length === 0) return exchange.respond(head, null)
  if (choice === 'whole') return respondPart(exchange, head, { first: 0, last: length - 1 }, parts)
  const [only] = choice
  if (choice.length > 1) return respondParts(exchange, choice, parts)
  const contentRange = ['Content-Range', formatContentRange(only, length)] as const
  const ofPart = fieldsOf([['Content-Type', stored.type], ...lines, contentRange])
  const partial = { status: 206, fields: ofPart, lengthOctets: only.last - only.first + 1 }
  return respondPart(exchange, partial, only, parts)
}

type Parts = { readonly stored: Stored; readonly lines: Lines; readonly bucket: Opener }

async function respondPart(
  exchange: Exchange,
  head: ResponseHead,
  range: OctetRange,
  { stored, bucket }: Parts,
): Promise<void> {
  const blob = await bucket.open(stored.sha256, range)
  // Deleted since its row was read.
  if (blob === null) throw faultOf({ kind: 'not found' })
  const mediaRate = isMovie(stored.type) ? blob.mediaRate : undefined
  exchange.respond({ ...head, mediaRate }, blob.source)
}

function respondParts(
  exchange: Exchange,
  ranges: Extract<RangeChoice, readonly unknown[]>,
  { stored, lines, bucket }: Parts,
): void {
  const { octets, type, sha256 } = stored
  const layout = layOutByteranges(ranges, octets, type, randomBytes(16).toString('hex'))
  const source = new ByterangesSource(layout, (part) => new LaterBlob(bucket, sha256, part))
  const fields = fieldsOf([['Content-Type', layout.contentType], ...lines])
  exchange.respond({ status: 206, fields, lengthOctets: layout.lengthOctets }, source)
}

/** A part of a blob that is opened when its turn comes. */
class LaterBlob implements Source {
  readonly #bucket: Opener
  readonly #sha256: string
  readonly #range: OctetRange
  #source: Source | undefined
  #isOver = false

  constructor(bucket: Opener, sha256: string, range: OctetRange) {
    this.#bucket = bucket
    this.#sha256 = sha256
    this.#range = range
  }

  read(limitOctets: number): Uint8Array | null | Promise<Uint8Array | null> {
    return this.#source === undefined ? this.#open(limitOctets) : this.#source.read(limitOctets)
  }

  cancel(reason: EndReason): void {
    this.#isOver = true
    this.#source?.cancel(reason)
  }

  async #open(limitOctets: number): Promise<Uint8Array | null> {
    const blob = await this.#bucket.open(this.#sha256, this.#range)
    if (blob === null) throw new Error('A blob was deleted while it was sent')
    this.#source = blob.source
    if (this.#isOver) this.#source.cancel('client left')
    return this.#isOver ? null : this.#source.read(limitOctets)
  }
}

function linesOf(stored: Stored): Lines {
  const { sha256, type, detected, about, createdMs } = stored
  const lines: (readonly [string, string])[] = [
    ['ETag', etagOf(stored)],
    ['Last-Modified', formatDate(createdMs)],
    ['Accept-Ranges', 'bytes'],
    ['X-Content-Type-Options', 'nosniff'],
    // RFC 9530 §3: of the whole object, whatever part is sent.
    ['Repr-Digest', `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`],
  ]
  // What runs in a browser must not run in the name of the host, whatever its uploader says.
  const mayRun = isActive(type) || (detected !== null && isActive(detected))
  const headers = about.headers.filter((line) => !mayRun || !isInline(line))
  lines.push(...headers)
  if (mayRun) {
    lines.push(['Content-Security-Policy', "sandbox; default-src 'none'"])
    if (!headers.some(([name]) => name.toLowerCase() === 'content-disposition')) {
      lines.push(['Content-Disposition', formatAttachment(about.name ?? stored.key.split('/').at(-1)!)])
    }
  }
  return lines
}

function isInline([name, value]: readonly [string, string]): boolean {
  return name.toLowerCase() === 'content-disposition' && !/^[ \t]*attachment[ \t]*(?:;|$)/i.test(value)
}

/** RFC 9110 §15.4.5 */
function isOfNotModified([name]: readonly [string, string]): boolean {
  return /^(?:etag|cache-control|expires|vary|content-location)$/i.test(name)
}
