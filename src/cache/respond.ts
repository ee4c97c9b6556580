import { randomUUID } from 'node:crypto'
import type { Exchange, ResponseHead, Source } from '#http/exchange.ts'
import { layOutByteranges } from '#http/wire/byteranges.ts'
import { ByterangesSource } from '#http/wire/byteranges-source.ts'
import { evaluatePreconditions, isRangeCurrent } from '#http/wire/conditional.ts'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import { formatContentRange, parseRanges } from '#http/wire/range.ts'
import { hitStatus, keyParameter } from './cache-status.ts'
import type { ReuseReason } from './reuse.ts'
import type { CachedObject } from './store/store.ts'
import { ageMs, type Stored } from './stored.ts'
import { WithFields } from './wire/with-fields.ts'

/** How an answer says where it comes from. */
export type Told = {
  readonly reason: ReuseReason
  /** our member of Cache-Status when the request was forwarded; else that of a hit */
  readonly status: string | null
  /** Cache-Status is sent at all; `key`: with the key */
  readonly isTold: boolean | 'key'
  /** the origin's own fields, for the client that it answers: also those that are not stored */
  readonly fields?: Fields
  /** the content for this client, in the place of what is stored; it has no length yet */
  readonly body?: Source
}

/**
 * Answer from the cache (RFC 9111 §4): Age is ours, Date stays as it was; conditions and ranges of the client are
 * answered here.
 *
 * @returns false when the object has made room for another since it was found: then nothing is answered
 */
export function respondStored(
  exchange: Exchange,
  object: CachedObject,
  stored: Stored,
  told: Told,
  nowMs: number,
): boolean {
  const { request, note } = exchange
  note.reason = told.reason
  const head = headOf(object, stored, told, nowMs)
  // RFC 9110 §13.2.1: conditions count only where the answer would otherwise be 2xx.
  if (stored.status === 200 && isNotModified(exchange, stored, nowMs)) {
    told.body?.cancel('finished')
    respondNotModified(exchange, head.fields, object.lengthOctets)
    return true
  }
  const part = told.body === undefined ? partOf(exchange, object, stored, head) : 'whole'
  if (part !== 'whole') return part !== null && respondPart(exchange, part)
  const isBare = request.method === 'HEAD' || object.lengthOctets === 0
  const body = isBare ? null : (told.body ?? object.octets() ?? object.read(0, null))
  if (body === null && !isBare) return false
  exchange.respond(head, body)
  return true
}

type Part = { readonly head: ResponseHead; readonly body: Source | null }

function respondPart(exchange: Exchange, { head, body }: Part): true {
  exchange.respond(head, body)
  return true
}

/** What Range asks for of a whole response (RFC 9110 §14.2); null when the object has gone. */
function partOf(
  { request }: Exchange,
  object: CachedObject,
  stored: Stored,
  head: ResponseHead,
): Part | 'whole' | null {
  const range = request.fields.get('range')
  const total = object.lengthOctets
  if (range === undefined || total === null || request.method !== 'GET' || stored.status !== 200)
    return 'whole'
  if (!isRangeCurrent(request.fields, stored.validators, stored.responseMs)) return 'whole'
  const ranges = parseRanges(range, total)
  if (ranges === 'whole') return 'whole'
  if (ranges === 'unsatisfiable') {
    const place = fieldsOf([['Content-Range', formatContentRange(null, total)]])
    return {
      head: { status: 416, fields: new WithFields(only(head.fields, IN_304), place), lengthOctets: 0 },
      body: null,
    }
  }
  if (ranges.length > 1) {
    const layout = layOutByteranges(ranges, total, stored.fields.get('content-type'), randomUUID())
    const body = new ByterangesSource(layout, ({ first, last }) => object.read(first, last + 1) ?? GONE)
    const type = fieldsOf([['Content-Type', layout.contentType]])
    const fields = new WithFields(without(head.fields, 'content-type'), type)
    return { head: { status: 206, fields, lengthOctets: layout.lengthOctets }, body }
  }
  const { first, last } = ranges[0]!
  const body = object.read(first, last + 1)
  const place = fieldsOf([['Content-Range', formatContentRange({ first, last }, total)]])
  const fields = new WithFields(head.fields, place)
  return body === null ? null : { head: { status: 206, fields, lengthOctets: last - first + 1 }, body }
}

/** A part of an object that made room for another while parts before it were sent. */
const GONE: Source = {
  read: () => Promise.reject(new Error('The object has made room for another')),
  cancel() {},
}

/** The head of a hit: made once for each second of a response's age. */
export function headOf(object: CachedObject, stored: Stored, told: Told, nowMs: number): ResponseHead {
  const age = Math.floor(ageMs(stored, nowMs) / 1000)
  const isPlain = told.reason === 'fresh' && told.status === null
  if (isPlain && stored.hit?.age === age && stored.hit.head.lengthOctets === object.lengthOctets) {
    const { head } = stored.hit
    head.fields.written ??= null
    return head
  }
  const added: [string, string][] = []
  // RFC 9111 §5.1: Age says that the origin did not make or validate this response for this request.
  if (told.fields === undefined && (told.status === null || age > 0)) added.push(['Age', String(age)])
  if (told.isTold !== false) {
    const ttl = Math.floor((stored.freshUntilMs - nowMs) / 1000)
    const status = told.status ?? hitStatus(ttl, told.reason)
    added.push(['Cache-Status', told.isTold === 'key' ? status + keyParameter(object.key) : status])
  }
  const head = {
    status: stored.status,
    fields: new WithFields(told.fields ?? stored.fields, fieldsOf(added)),
    lengthOctets: object.lengthOctets,
  }
  if (isPlain) stored.hit = { age, head }
  return head
}

/** Whether a client asks only for what it does not have (RFC 9110 §13.1.2, §13.1.3). */
export function isConditional(fields: Fields): boolean {
  return fields.get('if-none-match') !== undefined || fields.get('if-modified-since') !== undefined
}

/** Whether the client has what it asks for. RFC 9111 §4.3.2: where nothing says when it changed, it has not since it was made. */
export function isNotModified({ request }: Exchange, stored: Stored, nowMs: number): boolean {
  if (!isConditional(request.fields)) return false
  const lastModifiedMs = stored.validators.lastModifiedMs ?? stored.bornMs
  const validators = { etag: stored.validators.etag, lastModifiedMs }
  return evaluatePreconditions(request.method, request.fields, validators, nowMs) === 'not modified'
}

/** Answer 304 with what is said again. */
export function respondNotModified(exchange: Exchange, fields: Fields, lengthOctets: number | null): void {
  exchange.respond({ status: 304, fields: only(fields, IN_304), lengthOctets }, null)
}

/** RFC 9110 §15.4.5: what a 304 says again. */
const IN_304: ReadonlySet<string> = new Set(
  'age cache-control cache-status content-location date etag expires last-modified vary via'.split(' '),
)

function only(fields: Fields, names: ReadonlySet<string>): Fields {
  return filtered(fields, (name) => names.has(name))
}

function without(fields: Fields, name: string): Fields {
  return filtered(fields, (other) => other !== name)
}

function filtered(fields: Fields, holds: (name: string) => boolean): Fields {
  const pairs: [string, string][] = []
  fields.each((name, value) => {
    if (holds(name.toLowerCase())) pairs.push([name, value])
  })
  return fieldsOf(pairs)
}
