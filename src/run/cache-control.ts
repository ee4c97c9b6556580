import { gunzipSync } from 'node:zlib'
import { keyedTarget } from '#cache/key.ts'
import type { CachedObject, CacheStore, PurgeReceipt, PurgeSelector } from '#cache/store/store.ts'
import { ageMs, storedOf } from '#cache/stored.ts'
import type { Handler, Request } from '#http/exchange.ts'
import type { HttpPlan } from '#http/plan.ts'
import { compileRoutes, route } from '#http/route.ts'
import { ask } from '#http/wire/ask.ts'
import { parseAuthority } from '#http/wire/authority.ts'
import { fieldsOf } from '#http/wire/fields.ts'

/** Where responses are kept, null while no route has a cache; and the routes, which say under which keys. */
type HasStore = {
  readonly store: CacheStore | null
  readonly plan: { readonly http: Pick<HttpPlan, 'hosts'> }
}

/** A stored response in a list. */
export type CacheRow = {
  readonly key: string
  readonly status: number
  readonly state: CachedObject['state']
  readonly octets: number
  readonly ageSeconds: number
  /** less than 0: stale for so long */
  readonly freshForSeconds: number
  readonly tags: readonly string[]
  /** request fields that it was chosen by */
  readonly vary: readonly (readonly [string, string | null])[]
  /** softly purged */
  readonly isStale: boolean
}

/** A stored response with its fields. */
export type CacheDetail = CacheRow & { readonly fields: readonly (readonly [string, string])[] }

/** What a request of our own came to. */
export type Warmed = {
  readonly status: number
  readonly cacheStatus: string | null
  readonly octets: number
  /** the content, when it was asked for */
  readonly text?: string
}

/** Rows of one answer, and octets of a sitemap. */
const LIMIT_ROWS = 1000
const LIMIT_TEXT_OCTETS = 50 * 2 ** 20

/**
 * Purge what a query names: `url`, `prefix`, `host`, `tag` (several), or `all`; with `soft` it is only made stale.
 *
 * @throws {Error} when it names nothing, or no route has a cache
 */
export async function purgeByQuery(front: HasStore, query: URLSearchParams): Promise<PurgeReceipt[]> {
  const store = storeOf(front)
  const mode = query.has('soft') ? 'soft' : 'hard'
  const selectors = selectorsOf(query, urisOf(front))
  if (selectors.length === 0)
    throw new Error('Nothing to purge was named: a URL, --prefix, --host, --tag or --all.')
  const receipts: PurgeReceipt[] = []
  for (const selector of selectors) receipts.push(await store.purge(selector, mode))
  return receipts
}

/** List what is stored, in the order of keys: `prefix`, `after`, `limit`. */
export function listByQuery(front: HasStore, query: URLSearchParams): CacheRow[] {
  const limit = Math.min(Number(query.get('limit') ?? 100) || 100, LIMIT_ROWS)
  const prefix = query.get('prefix')
  const after = query.get('after')
  const objects = storeOf(front).list({
    limit,
    ...(prefix === null ? {} : { prefix }),
    ...(after === null ? {} : { after }),
  })
  return objects.map((object) => rowOf(object, Date.now()))
}

/** Everything that is stored under a URL: variants, parts, and what the key has beside it. */
export function showByQuery(front: HasStore, query: URLSearchParams): CacheDetail[] {
  const url = urisOf(front)(query.get('url') ?? '')
  const objects = storeOf(front).list({ prefix: url, limit: LIMIT_ROWS })
  return objects
    .filter(({ key }) => key === url || key.startsWith(`${url} `))
    .map((object) => {
      const fields: [string, string][] = []
      storedOf(object).fields.each((name, value) => fields.push([name, value]))
      return { ...rowOf(object, Date.now()), fields }
    })
}

/**
 * Ask ourselves for a URL, as a client would: what may be kept is kept. `text` gives the content back.
 *
 * @param handler what answers all exchanges
 */
export async function warmByQuery(handler: Handler, query: URLSearchParams): Promise<Warmed> {
  const url = new URL(query.get('url') ?? '')
  const isTextWanted = query.has('text')
  return new Promise((resolve, reject) => {
    ask(handler, requestOf(url, isTextWanted), {
      informed() {},
      aborted: (reason) => reject(new Error(`No answer for ${url.href}: ${reason}`)),
      answered(head, body) {
        const answer = {
          status: head.status,
          cacheStatus: head.fields.all('cache-status').join(', ') || null,
        }
        const done = async (): Promise<Warmed> => {
          const chunks: Uint8Array[] = []
          let octets = 0
          for (;;) {
            const piece = body === null ? null : await body.read(262_144)
            if (piece === null) break
            octets += piece.length
            if (isTextWanted && octets <= LIMIT_TEXT_OCTETS) chunks.push(Buffer.from(piece))
          }
          const text = isTextWanted ? { text: textOf(Buffer.concat(chunks)) } : {}
          return { ...answer, octets, ...text }
        }
        done().then(resolve, reject)
      },
    })
  })
}

/** A sitemap may be a file that was compressed. */
function textOf(octets: Buffer): string {
  const isCompressed = octets[0] === 0x1f && octets[1] === 0x8b
  const content = isCompressed ? gunzipSync(octets, { maxOutputLength: LIMIT_TEXT_OCTETS }) : octets
  return content.toString('utf8')
}

/** @param isPlain whoever asks reads the content; else what is kept should be what browsers ask for */
function requestOf(url: URL, isPlain: boolean): Request {
  return {
    method: 'GET',
    authority: url.host,
    host: url.hostname,
    target: `${url.pathname}${url.search}`,
    version: '1.1',
    fields: fieldsOf([
      ['User-Agent', 'portico-warm'],
      ['Accept', '*/*'],
      ['Accept-Encoding', isPlain ? 'identity' : 'gzip, deflate, br, zstd'],
    ]),
    client: { address: '127.0.0.1', port: 0, secure: url.protocol === 'https:', localPort: 0 },
    body: null,
    lengthOctets: 0,
    upgrade: undefined,
  }
}

function rowOf(object: CachedObject, nowMs: number): CacheRow {
  const stored = storedOf(object)
  return {
    key: object.key,
    status: stored.status,
    state: object.state,
    octets: object.storedOctets,
    ageSeconds: Math.floor(ageMs(stored, nowMs) / 1000),
    freshForSeconds: Math.floor((stored.freshUntilMs - nowMs) / 1000),
    tags: object.tags,
    vary: stored.vary,
    isStale: object.isStale,
  }
}

/** A URL is its key, and what begins with it and a space; a host is all that begins with it over either scheme. */
function selectorsOf(query: URLSearchParams, uriOfUrl: (text: string) => string): PurgeSelector[] {
  const selectors: PurgeSelector[] = []
  const urls = query.getAll('url').map(uriOfUrl)
  if (urls.length > 0) selectors.push({ keys: urls }, { prefixes: urls.map((url) => `${url} `) })
  const prefixes = query.getAll('prefix')
  const hosts = query.getAll('host').flatMap((host) => [`http://${host}/`, `https://${host}/`])
  if (prefixes.length + hosts.length > 0) selectors.push({ prefixes: [...prefixes, ...hosts] })
  const tags = query.getAll('tag')
  if (tags.length > 0) selectors.push({ tags })
  if (query.has('all')) selectors.push({ everything: true })
  return selectors
}

/** As keys write a URL: by the rules of its route. */
function urisOf({ plan }: HasStore): (text: string) => string {
  const routes = compileRoutes(plan.http.hosts)
  return (text) => {
    if (!URL.canParse(text)) throw new Error(`"${text}" is no URL, such as https://example.com/a.`)
    const { origin, host, hostname, pathname, search } = new URL(text)
    const target = `${pathname}${search}`
    const cache = route(routes, parseAuthority(host)?.host ?? hostname, target).route?.cache
    return origin + (cache === undefined ? target : keyedTarget(cache.key, target))
  }
}

function storeOf({ store }: HasStore): CacheStore {
  if (store === null) throw new Error('No route has a cache: "cache": true beside a service gives it one.')
  return store
}
