import { join, resolve } from 'node:path'
import { readKeys } from '#bucket/identify.ts'
import { pathsOf } from '#bucket/store/folder.ts'
import { Reader } from '#bucket/store/reader.ts'
import { keyOfPath } from '#bucket/wire/key.ts'
import { signUrl } from '#bucket/wire/signed-url.ts'
import type { CacheOptions } from '#cache/cache.ts'
import { createCache } from '#cache/handler.ts'
import { type CachePlan, planCache } from '#cache/plan.ts'
import { hasCode } from '#core/errors.ts'
import { locate } from '#files/locate.ts'
import type { Handler } from '#http/exchange.ts'
import type { RoutePlan } from '#http/plan.ts'
import { rewrite } from '#http/transform/rewrite.ts'
import { PassingExchange } from '#http/wire/passing-exchange.ts'
import { isRefusal } from '#http/wire/refusal.ts'
import type { FilmMemory } from '#media/film-memory.ts'
import { createMedia } from '#media/serve.ts'
import type { Sessions } from '#media/sessions.ts'
import type { Turns } from '#media/turns.ts'
import { namesIn } from './names-in.ts'

export type StreamOptions = {
  /** of the file: where paths of folders begin */
  readonly folder: string
  readonly cache: CacheOptions
  readonly monotonic: () => number
  /** of the whole worker */
  readonly sessions: Sessions
  readonly turns: Turns
  readonly filmMemory: FilmMemory
}

/** Put streaming before the handler of a route that says so: what it cuts is kept in the store of all caches. */
export function streamed(
  route: RoutePlan,
  handler: Handler,
  { folder, cache, ...options }: StreamOptions,
): Handler {
  const { stream, access } = route
  if (stream === undefined) return handler
  return createMedia(stream, {
    below: handler,
    source: withKey(route, handler, { folder, cache }),
    keep: (render) => createCache(KEPT, cache, render),
    list: (begin, limit) => listNames(route, folder, begin, limit),
    isPrivate: access !== undefined,
    folder,
    now: cache.now,
    ...options,
    log: cache.log,
  })
}

/** Where reading a bucket needs a key, what is read for those who have one is signed with the first. */
function withKey(
  { action }: RoutePlan,
  handler: Handler,
  { folder, cache: { log, now } }: Pick<StreamOptions, 'folder' | 'cache'>,
): Handler {
  if (action.kind !== 'bucket' || action.readers !== 'keys') return handler
  const keys = readKeys(action.keys, folder, log)
  const key = [...keys.values()].find(({ mayRead, prefix }) => mayRead && prefix === '')
  if (key === undefined) return handler
  return (exchange) => {
    const { request } = exchange
    const { host, target } = request
    const expires = Math.ceil(now() / 1000) + READ_SECONDS
    const grant = { keyId: key.id, allow: 'read', expires, prefix: null } as const
    const signed = `${target}?${signUrl(grant, host, target, key.secret)}`
    handler(new PassingExchange(exchange, { ...request, target: signed }))
  }
}

const READ_SECONDS = 60

/** How segments are kept: they say themselves how long they are fresh, and the query tells none of them apart. */
export const KEPT: CachePlan = planCache({ key: { query: 'none' } })!

/** The names in a folder that begin as a path ends; null where a service has them. */
async function listNames(
  { action, transform }: RoutePlan,
  folder: string,
  begin: string,
  limit: number,
): Promise<readonly string[] | null> {
  const target = transform?.rewrite == null ? begin : rewrite(transform.rewrite, begin)
  if (action.kind === 'files') return listFiles(resolve(folder, action.root), target, limit)
  if (action.kind === 'bucket') return listObjects(resolve(folder, action.root), target, limit)
  return null
}

async function listFiles(root: string, begin: string, limit: number): Promise<readonly string[]> {
  const at = begin.lastIndexOf('/') + 1
  // The name of the index stands for the folder: `locate` judges every segment above it.
  const place = locate(begin.slice(0, at), '_')
  if (typeof place === 'string') return []
  const prefix = decodeURIComponent(begin.slice(at))
  try {
    const names = await namesIn(join(root, place.path, '..'))
    return names.filter((name) => name.startsWith(prefix) && !name.startsWith('.')).slice(0, limit)
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
    return []
  }
}

async function listObjects(root: string, begin: string, limit: number): Promise<readonly string[]> {
  const prefix = keyOfPath(begin)
  if (isRefusal(prefix)) return []
  const at = prefix.lastIndexOf('/') + 1
  let reader: Reader
  try {
    reader = new Reader(pathsOf(root).database)
  } catch {
    // Nothing was ever put into it.
    return []
  }
  const { objects } = reader.list({ prefix, after: '', delimiter: '', limit })
  reader.close()
  return objects.map(({ key }) => key.slice(at)).filter((name) => !name.includes('/'))
}
