import { createHash, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import type { Cache } from './cache.ts'
import { uriOf } from './key.ts'

/** Answer PURGE: what is stored under the target goes, for who has the token; `Purge-Mode: soft` only makes it stale. */
export function purge(cache: Cache, exchange: Exchange): void {
  const { request, note } = exchange
  note.answeredBy = 'cache'
  if (!isToken(request.fields.get('authorization'), cache.plan.purgeToken!)) {
    note.reason = 'purge: token'
    const fields: [string, string][] = [['WWW-Authenticate', 'Bearer realm="purge"']]
    return respondPage(exchange, {
      status: 401,
      detail: 'PURGE needs the token of this cache.',
      fault: 'client',
      fields,
    })
  }
  const mode = request.fields.get('purge-mode')?.toLowerCase() === 'soft' ? 'soft' : 'hard'
  void purgeUri(cache, uriOf(cache.plan.key, request), mode).then((receipts) => {
    note.reason = 'purged'
    const body = Buffer.from(`${JSON.stringify(receipts)}\n`)
    const fields = fieldsOf([
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-store'],
    ])
    exchange.respond({ status: 200, fields, lengthOctets: body.length }, body)
  })
}

/** What is stored under a URI, also where the key has more in it. */
async function purgeUri({ store }: Cache, uri: string, mode: 'hard' | 'soft') {
  const plain = await store.purge({ keys: [uri] }, mode)
  const others = await store.purge({ prefixes: [`${uri} `] }, mode)
  return {
    uri,
    mode,
    objects: plain.objects + others.objects,
    octets: plain.octets + others.octets,
    doneAtMs: others.doneAtMs,
  }
}

/** Compared in constant time, as digests. */
function isToken(authorization: string | undefined, digest: string): boolean {
  const token = /^Bearer +([^ ]+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) return false
  return timingSafeEqual(createHash('sha256').update(token).digest(), Buffer.from(digest, 'hex'))
}
