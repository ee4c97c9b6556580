import type { Request } from '#http/exchange.ts'
import { formatDate } from '#http/wire/date.ts'
import { NameSet, serializeFields } from '#http/wire/fields.ts'
import { keyedTarget } from './key.ts'
import type { CachePlan } from './plan.ts'
import { fieldsOfLines, type Stored } from './stored.ts'

/**
 * The request that goes to the origin in the client's place.
 *
 * The client's own conditions and its range are answered here from what comes. Fields that services read and no key has
 * stay behind, and with `guard` so do query parameters that the key leaves out: nobody can poison with them what all
 * others get.
 *
 * @param own lines that are added, each with its CRLF
 */
export function originRequest({ key, guard }: CachePlan, request: Request, own: string): Request {
  const lines = serializeFields(request.fields, NOT_FORWARDED)
  const target = guard ? keyedTarget(key, request.target) : request.target
  return { ...request, target, fields: fieldsOfLines(lines + own) }
}

/** The client's own range and, where nothing here can answer them, its conditions. */
export function clientLines({ fields }: Request, withConditions: boolean): string {
  let lines = ''
  fields.each((name, value) => {
    const lower = name.toLowerCase()
    if (RANGE.has(lower) || (withConditions && CONDITIONS.has(lower))) lines += `${name}: ${value}\r\n`
  })
  return lines
}

/** The conditions under which the origin need not send again what is stored (RFC 9111 §4.3.1); '' when there are none. */
export function conditionLines({ validators }: Stored): string {
  const { etag, lastModifiedMs } = validators
  return (
    (etag === undefined ? '' : `If-None-Match: ${etag}\r\n`) +
    (lastModifiedMs === undefined ? '' : `If-Modified-Since: ${formatDate(lastModifiedMs)}\r\n`)
  )
}

/** RFC 9110 §13.1: answered from what is stored; If-Match and If-Unmodified-Since pass by the cache. */
const CONDITIONS: ReadonlySet<string> = new Set(['if-none-match', 'if-modified-since'])
const RANGE: ReadonlySet<string> = new Set(['range', 'if-range'])

/** Read by frameworks as another URI or method than the one that the key has. */
const UNKEYED =
  `base-url proxy-host proxy-url request-uri x-forwarded-path x-forwarded-scheme x-forwarded-uri x-host
  x-http-destinationurl x-http-host-override x-http-method x-http-method-override x-method-override x-original-host
  x-original-method x-original-uri x-original-url x-proxy-url x-rewrite-url`.split(/\s+/)

const NOT_FORWARDED = new NameSet([...CONDITIONS, ...RANGE, ...UNKEYED])
