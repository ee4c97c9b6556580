import type { Request } from '#http/exchange.ts'
import { formatDate } from '#http/wire/date.ts'
import { type Fields, NameSet, serializeFields } from '#http/wire/fields.ts'
import { fieldsOfLines, type Stored } from './stored.ts'

/**
 * The fields of the request that goes to the origin in the client's place.
 *
 * The client's own conditions and its range are answered here from what comes. Fields that services read and no key has
 * stay behind, so that nobody can poison with them what all others get.
 *
 * @param own lines that are added, each with its CRLF
 */
export function originFields({ fields }: Request, own: string): Fields {
  const lines = serializeFields(fields, NOT_FORWARDED)
  return fieldsOfLines(lines + own)
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
const CONDITIONS = 'if-none-match if-modified-since if-range range'

/** Read by frameworks as another URI or method than the one that the key has. */
const UNKEYED =
  'x-http-method x-http-method-override x-method-override x-original-host x-original-url x-rewrite-url x-forwarded-scheme x-host'

const NOT_FORWARDED = new NameSet(`${CONDITIONS} ${UNKEYED}`.split(' '))
