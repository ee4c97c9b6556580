import type { Request, ResponseHead } from '#http/exchange.ts'
import { parseDate } from '#http/wire/date.ts'
import type { Cache } from './cache.ts'
import { freshen } from './keep.ts'
import { keyOf } from './key.ts'
import { select } from './select.ts'
import type { Stored } from './stored.ts'

/**
 * What a response to HEAD says of a stored response to GET (RFC 9111 §4.3.5): it is the same, and freshened; or another
 * one, and what is stored is stale.
 *
 * @param asked the epoch of the store and the time at which HEAD went out
 */
export function updateByHead(
  cache: Cache,
  request: Request,
  head: ResponseHead,
  asked: { readonly epoch: number; readonly requestMs: number },
): void {
  if (head.status !== 200) return
  const { store, plan, now } = cache
  const key = keyOf(plan.key, request)
  const { object, held } = select(store.find(key), request)
  if (object === null || held.stored === null || held.stored.status !== 200) return
  const responseMs = now()
  const { epoch, requestMs } = asked
  if (isSame(held.stored, object.lengthOctets, head, responseMs)) {
    freshen(cache, request, { object, stored: held.stored, epoch }, head.fields, { requestMs, responseMs })
  } else {
    void store.purge({ keys: [key] }, 'soft')
  }
}

function isSame(
  { validators }: Stored,
  storedOctets: number | null,
  head: ResponseHead,
  nowMs: number,
): boolean {
  const { fields, lengthOctets } = head
  const etag = fields.get('etag')
  const lastModified = fields.get('last-modified')
  return (
    (lengthOctets === null || lengthOctets === storedOctets) &&
    (etag === undefined || etag === validators.etag) &&
    (lastModified === undefined || parseDate(lastModified, nowMs) === validators.lastModifiedMs)
  )
}
