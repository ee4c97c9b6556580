import type { Request, ResponseHead } from '#http/exchange.ts'
import type { Fields } from '#http/wire/fields.ts'
import type { Cache } from './cache.ts'
import { freshnessLifetime, type Lifetime, type Times } from './freshness.ts'
import { originOf } from './key.ts'
import { type Storable, storable } from './storable.ts'
import type { CachedObject, CacheStore, Fill } from './store/store.ts'
import { encodeMeta, type Meta, metaOf, type Stored, storedFrom, storedOf } from './stored.ts'
import { tagsOf } from './tags.ts'
import { type Policy, policyOf } from './targeted.ts'
import { updatedFields } from './update.ts'
import { isSelected } from './vary.ts'

/** What the rules say of a response that has come. */
export type Judged = {
  readonly reason: Storable
  readonly policy: Policy
  readonly lifetime: Lifetime
  readonly meta: Meta
}

/** Read a response as a cache does: what it says, how long it is fresh, whether it may be kept. */
export function judge({ plan }: Cache, request: Request, response: ResponseHead, times: Times): Judged {
  const policy = policyOf(response.fields)
  const lifetime = freshnessLifetime(response, policy, plan, times)
  const reason = storable({ request, response, policy, lifetime, plan })
  return { reason, policy, lifetime, meta: metaOf(request, response, { policy, lifetime, plan, times }) }
}

/**
 * Begin to keep a response.
 *
 * @param epoch of the store, from before the request went out
 * @returns null when there is no room, or a purge came first
 */
export function beginFill(
  { store, plan }: Cache,
  {
    key,
    request,
    response,
    meta,
    epoch,
  }: {
    readonly key: string
    readonly request: Request
    readonly response: ResponseHead
    readonly meta: Meta
    readonly epoch: number
  },
): Fill | null {
  const replaced = store.find(key).filter((object) => isReplaced(object, request, meta))
  const fill = store.create(key, {
    meta: encodeMeta(meta),
    tags: tagsOf(response.fields, originOf(request), plan.tags),
    lengthOctets: response.lengthOctets,
    epoch,
  })
  if (fill === null) return null
  fill.object.decoded = storedFrom(meta)
  return replaced.length === 0 ? fill : replacing(fill, replaced, store)
}

/** What is replaced goes when the new response is whole: an origin that dies in the middle of it leaves the old one. */
function replacing(fill: Fill, replaced: readonly CachedObject[], store: CacheStore): Fill {
  return {
    object: fill.object,
    write: (octets) => fill.write(octets),
    end() {
      fill.end()
      if (fill.object.state === 'whole') for (const object of replaced) store.remove(object)
    },
    fail: () => fill.fail(),
  }
}

/** A stored response that the origin was asked about, and the epoch of the store at which it was. */
export type Asked = { readonly object: CachedObject; readonly stored: Stored; readonly epoch: number }

/**
 * Put what a 304 or HEAD says into a stored response (RFC 9111 §4.3.4, §4.3.5).
 *
 * What was purged since the origin was asked stays as the purge left it: the answer may be older than the reason for it.
 *
 * @returns the object as it is now
 */
export function freshen(
  cache: Cache,
  request: Request,
  { object, stored, epoch }: Asked,
  came: Fields,
  times: Times,
): CachedObject {
  const { store } = cache
  const current = store.find(object.key).find(({ id }) => id === object.id)
  if (current === undefined || (current.isStale && store.epoch() !== epoch)) return object
  const response = {
    status: stored.status,
    fields: updatedFields(stored, came),
    lengthOctets: object.lengthOctets,
  }
  const { meta, reason } = judge(cache, { ...request, method: 'GET' }, response, times)
  store.update(current, encodeMeta({ ...meta, place: stored.place }))
  const updated = store.find(object.key).find(({ id }) => id === object.id) ?? object
  // It says now that it may not be kept: for this client it still holds.
  if (reason !== 'storable' && stored.place === null) store.remove(updated)
  return updated
}

/** A whole response takes the place of all that the same request would have selected, parts too. */
function isReplaced(object: CachedObject, request: Request, meta: Meta): boolean {
  const stored = storedOf(object)
  if (!isSelected(stored.vary, request.fields)) return false
  if (meta.place === null) return true
  // A part drives out what is of another version, and parts that it covers.
  const { place } = stored
  if (stored.validators.etag === undefined || !meta.lines.includes(stored.validators.etag)) return true
  return place !== null && place.first >= meta.place.first && place.last <= meta.place.last
}
