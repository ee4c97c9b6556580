import type { Handler } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'

const PREFIX = '/.well-known/acme-challenge/'

/**
 * Answer what an authority asks for over plain HTTP (RFC 8555 §8.3), before routes and redirects; all else goes on.
 *
 * @param tokens content by host and token, as they stand now
 */
export function answerTokens(tokens: () => Readonly<Record<string, string>>, next: Handler): Handler {
  return (exchange) => {
    const { host, target, method } = exchange.request
    if (!target.startsWith(PREFIX) || (method !== 'GET' && method !== 'HEAD')) return next(exchange)
    const key = `${host}/${target.slice(PREFIX.length)}`
    const content = Object.hasOwn(tokens(), key) ? tokens()[key] : undefined
    if (content === undefined) return next(exchange)
    const body = Buffer.from(content)
    const fields = fieldsOf([['Content-Type', 'application/octet-stream']])
    exchange.note.answeredBy = 'respond'
    exchange.respond({ status: 200, fields, lengthOctets: body.length }, body)
  }
}
