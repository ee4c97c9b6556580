import type { Exchange, ResponseHead, Source } from '#http/exchange.ts'
import { sourceOf } from '#http/wire/octets-source.ts'
import type { Cache } from './cache.ts'
import { forwardStatus } from './cache-status.ts'
import { pour } from './fill.ts'
import { beginFill, judge } from './keep.ts'
import { keyOf, originOf } from './key.ts'
import { respondStored } from './respond.ts'
import { storedOf } from './stored.ts'

/**
 * Keep the answer to a POST for GET, when it says that it is what GET would get: its Content-Location is the target, and
 * it says how long it is fresh (RFC 9110 §9.3.3).
 *
 * @param asked when the request went out, and how many names were purged because of it: after another purge it may be
 *   older than that
 * @returns whether it was kept, and the client is answered from there
 */
export function keepAnswer(
  cache: Cache,
  exchange: Exchange,
  head: ResponseHead,
  body: Source | Uint8Array | null,
  asked: { readonly epoch: number; readonly requestMs: number; readonly ownPurges: number },
): boolean {
  const { request } = exchange
  const location = head.fields.get('content-location')
  if (head.status !== 200 || body === null || location === undefined || head.lengthOctets === null)
    return false
  const target = `${originOf(request)}${request.target}`
  if (!URL.canParse(location, target) || new URL(location, target).href !== new URL(target).href) return false
  const epoch = cache.store.epoch()
  if (epoch !== asked.epoch + asked.ownPurges) return false
  const nowMs = cache.now()
  const { lifetime, reason, meta } = judge(cache, request, head, {
    requestMs: asked.requestMs,
    responseMs: nowMs,
  })
  if (reason !== 'storable' || lifetime.lifetimeMs === 0 || lifetime.basis === 'heuristic') return false
  const key = keyOf(cache.plan.key, request)
  const fill = beginFill(cache, { key, request, response: head, meta, epoch })
  if (fill === null) return false
  void pour(body instanceof Uint8Array ? sourceOf(Buffer.from(body)) : body, fill, () =>
    Promise.resolve(null),
  )
  const status = forwardStatus({ why: 'method', status: head.status, stored: true })
  const told = { reason: 'nothing stored', status, isTold: cache.plan.status } as const
  if (respondStored(exchange, fill.object, storedOf(fill.object), told, nowMs) === null)
    exchange.abort('portico failed')
  return true
}
