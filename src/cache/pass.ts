import type { Exchange, Request, ResponseHead, Source } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { PassingExchange } from '#http/wire/passing-exchange.ts'
import type { Cache } from './cache.ts'
import { type Forwarded, forwardStatus, keyParameter } from './cache-status.ts'
import { invalidated } from './invalidate.ts'
import { keyOf, uriOf } from './key.ts'
import { keepAnswer } from './post.ts'
import { purge } from './purge.ts'
import { updateByHead } from './update-by-head.ts'
import { WithFields } from './wire/with-fields.ts'

/** Send GET or HEAD on to the origin, and keep nothing of the answer but what HEAD says of a stored response. */
export function passBy(cache: Cache, exchange: Exchange, why: Forwarded['why']): void {
  const asked = { epoch: cache.store.epoch(), requestMs: cache.now() }
  cache.origin(
    new Passed(exchange, exchange.request, (head, body) => {
      if (exchange.request.method === 'HEAD' && why !== 'bypass')
        updateByHead(cache, exchange.request, head, asked)
      exchange.respond(told(cache, exchange.request, head, { why }), body)
    }),
  )
}

/** Send another method on to the origin; what it may have changed is no longer served (RFC 9111 §4.4). */
export function passAround(cache: Cache, exchange: Exchange): void {
  const { request } = exchange
  if (request.method === 'PURGE' && cache.plan.purgeToken !== null) return purge(cache, exchange)
  const asked = { epoch: cache.store.epoch(), requestMs: cache.now() }
  cache.origin(
    new Passed(exchange, request, (head, body) => {
      const doubtful = invalidated(request, head.status, head.fields)
      const answer = (content: Source | Uint8Array | null, ownPurges = 0) => {
        const kept =
          request.method === 'POST' && keepAnswer(cache, exchange, head, content, { ...asked, ownPurges })
        if (!kept) exchange.respond(told(cache, request, head, { why: 'method' }), content)
      }
      if (doubtful === null) return answer(body)
      // The client's next request must not find what its last one changed. Small octets are the origin's again meanwhile.
      const kept = body instanceof Uint8Array ? Buffer.from(body) : body
      const purged = invalidate(cache, request, doubtful)
      void purged.then(
        (ownPurges) => answer(kept, ownPurges),
        () => exchange.abort('portico failed'),
      )
    }),
  )
}

/** The head of a response that passes, with our member of Cache-Status; a page of ours has no status of the origin. */
export function told(
  { plan }: Cache,
  request: Request,
  head: ResponseHead,
  forwarded: Pick<Forwarded, 'why' | 'detail' | 'collapsed'>,
): ResponseHead {
  if (plan.status === false) return head
  const status = forwardStatus(head.isPage === true ? forwarded : { ...forwarded, status: head.status })
  const member = plan.status === 'key' ? status + keyParameter(keyOf(plan.key, request)) : status
  return { ...head, fields: new WithFields(head.fields, fieldsOf([['Cache-Status', member]])) }
}

/** @returns how many names were purged */
async function invalidate(
  { store, plan }: Cache,
  request: Request,
  { uris, tags }: NonNullable<ReturnType<typeof invalidated>>,
): Promise<number> {
  const keys = uris.map((uri) => uriOf(plan.key, { ...request, target: targetOf(uri) }))
  await store.purge({ keys }, 'hard')
  // Slices, and variants by what the key has beside the URI.
  const { key, sliceOctets } = plan
  const hasMore = key.cookies.length + key.fields.length > 0 || sliceOctets !== null
  if (hasMore) await store.purge({ prefixes: keys.map((uri) => `${uri} `) }, 'hard')
  if (tags.length > 0) await store.purge({ tags }, 'hard')
  return keys.length * (hasMore ? 2 : 1) + tags.length
}

function targetOf(uri: string): string {
  return uri.slice(uri.indexOf('/', uri.indexOf('://') + 3))
}

/** An exchange whose response is looked at on its way. */
class Passed extends PassingExchange {
  readonly #respond: (head: ResponseHead, body: Source | Uint8Array | null) => void

  constructor(
    below: Exchange,
    request: Request,
    respond: (head: ResponseHead, body: Source | Uint8Array | null) => void,
  ) {
    super(below, request)
    this.#respond = respond
  }

  override respond(head: ResponseHead, body: Source | Uint8Array | null): void {
    this.#respond(head, body)
  }
}
