import type { Exchange, ResponseHead, Source } from '#http/exchange.ts'
import { evaluatePreconditions } from '#http/wire/conditional.ts'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import type { OctetRange } from '#http/wire/range.ts'
import { hitStatus, keyParameter } from './cache-status.ts'
import { dateOf } from './freshness.ts'
import { type Answer, answerRanges, choose, IN_304, only } from './ranges.ts'
import type { ReadObject } from './rejoin.ts'
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
  /** opens the object in the place of its own `read` */
  readonly read?: ReadObject | undefined
}

/**
 * Answer from the cache (RFC 9111 §4): Age is ours, Date stays as it was; conditions and ranges of the client are
 * answered here.
 *
 * @returns octets of content that the client gets, as far as they are known; null when the object has made room for
 *   another since it was found: then nothing is answered
 */
export function respondStored(
  exchange: Exchange,
  object: CachedObject,
  stored: Stored,
  told: Told,
  nowMs: number,
): number | null {
  const { request, note } = exchange
  note.reason = told.reason
  const head = headOf(object, stored, told, nowMs)
  // RFC 9110 §13.2.1: conditions count only where the answer would otherwise be 2xx.
  if (stored.status === 200 && isNotModified(exchange, stored, nowMs)) {
    told.body?.cancel('finished')
    respondNotModified(exchange, head.fields, object.lengthOctets)
    return 0
  }
  const totalOctets = object.lengthOctets
  // A part that stands for itself is answered by parts.ts; what has no length yet has no ranges.
  const mayBeParted = told.body === undefined && totalOctets !== null && stored.status === 200
  const choice = mayBeParted ? choose(request, stored, totalOctets) : 'whole'
  if (choice !== 'whole') {
    const open = ({ first, last }: OctetRange): Source | null =>
      told.read === undefined ? object.read(first, last + 1) : told.read(first, last + 1)
    return respondAnswer(exchange, answerRanges(choice, head.fields, { totalOctets: totalOctets!, open }))
  }
  const isBare = request.method === 'HEAD' || object.lengthOctets === 0
  const body = isBare ? null : (told.body ?? told.read?.(0, null) ?? object.octets() ?? object.read(0, null))
  if (body === null && !isBare) return null
  exchange.respond(head, body)
  return isBare ? 0 : (object.lengthOctets ?? object.storedOctets)
}

/** @returns octets of its content; null when there is none */
export function respondAnswer(exchange: Exchange, answer: Answer | null): number | null {
  if (answer === null) return null
  exchange.respond(answer.head, answer.body)
  return answer.head.lengthOctets
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

/** Whether the client has what it asks for. RFC 9111 §4.3.2: where nothing says when it changed, it has not since its Date. */
export function isNotModified({ request }: Exchange, stored: Stored, nowMs: number): boolean {
  if (!isConditional(request.fields)) return false
  const lastModifiedMs = stored.validators.lastModifiedMs ?? dateOf(stored.fields, stored.responseMs)
  const validators = { etag: stored.validators.etag, lastModifiedMs }
  return evaluatePreconditions(request.method, request.fields, validators, nowMs) === 'not modified'
}

/** Answer 304 with what is said again. */
export function respondNotModified(exchange: Exchange, fields: Fields, lengthOctets: number | null): void {
  exchange.respond({ status: 304, fields: only(fields, IN_304), lengthOctets }, null)
}
