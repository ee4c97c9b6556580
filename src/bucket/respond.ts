import { etagOf, type Outcome, printVersion, type Stored } from '#bucket/store/change.ts'
import { StoreFailure } from '#bucket/store/s3-store.ts'
import type { Log } from '#core/log.ts'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { type Page, respondPage } from '#http/wire/page.ts'
import type { Refusal } from '#http/wire/refusal.ts'
import { BrokenOff } from './content.ts'
import { Fault } from './wire/body.ts'
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

/** Why the writer has not made a change. */
export function faultOf(outcome: Outcome): Fault {
  switch (outcome.kind) {
    case 'precondition failed':
      return new Fault(412, 'the object is not in the state that the request wants it in')
    case 'not found':
      return new Fault(404, 'there is no object with this name')
    case 'quota':
      return new Fault(507, `the bucket may hold ${outcome.quotaOctets} octets, and this would be more`)
    case 'locked':
      return new Fault(423, 'another request is writing to this upload')
    default:
      return new Fault(500, `the change ended as "${outcome.kind}"`)
  }
}

/**
 * What an error is answered with.
 *
 * @returns null when nobody is there to answer: the content broke off
 */
export function faultOfError(error: unknown, { request }: Exchange, log: Log): Fault | null {
  if (error instanceof Fault) return error
  const { code, message, stack } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return new Fault(507, 'the disk is full')
  if (error instanceof BrokenOff) return null
  if (error instanceof StoreFailure) {
    log('error', 'bucket/store', { target: request.target, error: message })
    return new Fault(502, 'the store of this bucket does not answer')
  }
  log('error', 'bucket/failed', { target: request.target, error: stack ?? message })
  return new Fault(500, 'the bucket could not do this')
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
