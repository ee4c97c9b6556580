import { createHash, timingSafeEqual } from 'node:crypto'
import type { Exchange, Request } from '#http/exchange.ts'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import type { Cache } from './cache.ts'
import { originOf, uriOf } from './key.ts'
import type { PurgeSelector } from './store/store.ts'
import { namedTags } from './tags.ts'

/**
 * Answer PURGE for who has the token: what is stored under the target goes; with `Surrogate-Key` or `Cache-Tag` what has
 * one of these tags, and with `Purge-Scope: prefix` or `host` more than the target, but nothing of other hosts.
 * `Purge-Mode: soft` only makes it stale.
 */
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
  const named = namedBy(cache, request)
  if (named === undefined) {
    const detail = 'Purge-Scope is neither url, prefix nor host.'
    return respondPage(exchange, { status: 400, detail, fault: 'client' })
  }
  void purgeAll(cache, named, modeOf(request.fields)).then((receipt) => {
    note.reason = 'purged'
    const body = Buffer.from(`${JSON.stringify(receipt)}\n`)
    const fields = fieldsOf([
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-store'],
    ])
    exchange.respond({ status: 200, fields, lengthOctets: body.length }, body)
  })
}

/** What a receipt says that was purged, and what that is to the store. */
type Named = {
  readonly said: Readonly<Record<string, string | readonly string[]>>
  readonly selectors: readonly PurgeSelector[]
}

function namedBy({ plan }: Cache, request: Request): Named | undefined {
  const host = `${originOf(request)}/`
  const tags = namedTags(request.fields)
  if (tags.length > 0) return { said: { host, tags }, selectors: [{ tags, within: overBoth(host) }] }
  const uri = uriOf(plan.key, request)
  const scope = request.fields.get('purge-scope')?.toLowerCase() ?? 'url'
  if (scope === 'host') return { said: { host }, selectors: [{ prefixes: overBoth(host) }] }
  if (scope === 'prefix') return { said: { prefix: uri }, selectors: [{ prefixes: overBoth(uri) }] }
  // Also where the key has more in it.
  const keys = overBoth(uri)
  const selectors: PurgeSelector[] = [{ keys }, { prefixes: keys.map((key) => `${key} `) }]
  return scope === 'url' ? { said: { uri }, selectors } : undefined
}

/** A service purges over the scheme that is at hand, whichever its clients use. */
function overBoth(uri: string): string[] {
  return [uri, uri.startsWith('https:') ? uri.replace('https:', 'http:') : uri.replace('http:', 'https:')]
}

function modeOf(fields: Fields): 'hard' | 'soft' {
  const isSoft = fields.get('purge-mode')?.toLowerCase() === 'soft' || fields.get('fastly-soft-purge') === '1'
  return isSoft ? 'soft' : 'hard'
}

async function purgeAll({ store }: Cache, { said, selectors }: Named, mode: 'hard' | 'soft') {
  const total = { objects: 0, octets: 0, doneAtMs: 0 }
  for (const selector of selectors) {
    const { objects, octets, doneAtMs } = await store.purge(selector, mode)
    total.objects += objects
    total.octets += octets
    total.doneAtMs = doneAtMs
  }
  return { ...said, mode, ...total }
}

/** Compared in constant time, as digests. */
function isToken(authorization: string | undefined, digest: string): boolean {
  const token = /^Bearer +([^ ]+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) return false
  return timingSafeEqual(createHash('sha256').update(token).digest(), Buffer.from(digest, 'hex'))
}
