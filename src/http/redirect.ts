import type { Exchange, Handler } from './exchange.ts'
import type { ActionPlan } from './plan.ts'
import { fieldsOf } from './wire/fields.ts'

export type RedirectPlan = Extract<ActionPlan, { kind: 'redirect' }>

/**
 * Create the handler that sends clients elsewhere (RFC 9110 §15.4).
 *
 * With `keepPath` the path and the query of the request follow `to`: `https://example.com` and `/a?b` give
 * `https://example.com/a?b`. A `to` with a query or fragment stays as it is.
 */
export function createRedirect(action: RedirectPlan): Handler {
  const { to } = action
  const prefix = action.keepPath && !/[?#]/.test(to) ? to.replace(/\/+$/, '') : null
  return (exchange) => {
    exchange.note.answeredBy = 'redirect'
    respondRedirect(exchange, action.status, prefix === null ? to : append(prefix, exchange.request.target))
  }
}

/** Answer with a Location, a URL or a path, and a line of text that says the same. */
export function respondRedirect(exchange: Exchange, status: number, target: string): void {
  const location = visible(target)
  const body = Buffer.from(`Moved to ${location}\n`)
  const fields = fieldsOf([
    ['Location', location],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
  ])
  exchange.respond({ status, fields, lengthOctets: body.length }, body)
}

function append(prefix: string, target: string): string {
  // After an empty prefix `//host` and `/\host` would name another host (RFC 3986 §4.2).
  return prefix + target.replace(/^[/\\]*/, '/')
}

/** Location is ASCII (RFC 3986 §2): whatever else stands in the text is escaped, line ends too. */
function visible(text: string): string {
  return text.replace(/[^\x21-\x7e]+/g, (raw) => encodeURIComponent(raw.toWellFormed()))
}
