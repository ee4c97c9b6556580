import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { type Page, respondPage } from '#http/wire/page.ts'
import type { Refusal } from '#http/wire/refusal.ts'
import { etagOf, type Outcome, printVersion, type Stored } from './change.ts'
import { pathOfKey } from './wire/key.ts'

/** Field lines of a response. */
export type Lines = readonly (readonly [name: string, value: string])[]

/** Answer with JSON; nobody keeps it. */
export function respondJson(exchange: Exchange, status: number, value: unknown, more: Lines = []): void {
  const body = Buffer.from(`${JSON.stringify(value, null, 1)}\n`)
  const fields = fieldsOf([
    ['Content-Type', 'application/json'],
    ['X-Content-Type-Options', 'nosniff'],
    ['Cache-Control', 'no-store'],
    ...more,
  ])
  exchange.respond({ status, fields, lengthOctets: body.length }, body)
}

/** Answer without content. */
export function respondEmpty(exchange: Exchange, status: number, lines: Lines = []): void {
  exchange.respond({ status, fields: fieldsOf(lines), lengthOctets: 0 }, null)
}

/** Say why a request is not followed. */
export function respondRefusal(exchange: Exchange, { status, reason }: Refusal, fields: Lines = []): void {
  const detail = `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
  const page: Page = { status, detail, fault: status >= 500 ? 'portico' : 'client', fields }
  respondPage(exchange, page)
}

/** What a refused change is answered with. */
export function refusalOf(outcome: Outcome): Refusal {
  switch (outcome.kind) {
    case 'precondition failed':
      return {
        kind: 'refusal',
        status: 412,
        reason: 'the object is not in the state that the request wants it in',
      }
    case 'not found':
      return NOT_FOUND
    case 'quota': {
      const reason = `the bucket may hold ${outcome.quotaOctets} octets, and this would be more`
      return { kind: 'refusal', status: 507, reason }
    }
    case 'locked':
      return { kind: 'refusal', status: 423, reason: 'another request is writing to this upload' }
    default:
      return { kind: 'refusal', status: 500, reason: 'the change was not made' }
  }
}

/** There is nothing under a key. */
export const NOT_FOUND: Refusal = {
  kind: 'refusal',
  status: 404,
  reason: 'there is no object with this name',
}

/** An object as its client reads about it. */
export function describeStored(stored: Stored): Readonly<Record<string, unknown>> {
  const { key, version, sha256, octets, type, declared, detected, about, createdMs } = stored
  return {
    key,
    url: pathOfKey(key),
    size: octets,
    sha256,
    etag: etagOf(stored),
    type,
    declared,
    detected,
    name: about.name,
    fields: about.fields,
    version: printVersion(version),
    created: new Date(createdMs).toISOString(),
  }
}
