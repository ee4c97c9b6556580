import type { GroupSetting, Setting } from '#core/settings.ts'

/** What may be written under `cache` of a host or route. Durations are milliseconds, sizes octets. */
export type CacheConfig =
  | boolean
  | {
      readonly ttl?: number | Readonly<Record<string, number>>
      readonly override?: number | Readonly<Record<string, number>>
      readonly key?: {
        readonly query?:
          | 'all'
          | 'none'
          | { readonly keep?: readonly string[]; readonly drop?: readonly string[]; readonly sort?: boolean }
        readonly cookies?: readonly string[]
        readonly headers?: readonly string[]
      }
      readonly vary?: { readonly ignore?: readonly string[] }
      readonly stale?: { readonly revalidate?: number; readonly error?: number; readonly down?: number }
      readonly maxSize?: number
      readonly bypass?: { readonly headers?: readonly string[]; readonly cookies?: readonly string[] }
      readonly tags?: readonly string[]
      readonly slice?: number
      readonly setCookie?: 'explicit' | 'never' | 'always'
      readonly authorized?: boolean
      readonly guard?: boolean
      readonly status?: boolean | 'key'
      readonly purge?: string
    }

/** The cache of all hosts. Sizes in octets. */
export type CacheStoreConfig = {
  readonly memory: number
  /** absent: no disk tier */
  readonly disk?: number
  readonly folder?: string
}

const YEAR_MS = 365 * 86_400_000

function names(doc: string, example: string): Setting {
  return { type: 'list', doc, of: { type: 'text', doc: 'Name.', example }, single: true, max: 64 }
}

function duration(doc: string): Setting {
  return { type: 'duration', doc, min: 0, max: YEAR_MS, example: '10m' }
}

function ttl(doc: string): Setting {
  return {
    type: 'either',
    doc,
    example: { '200': '10m', '404': '1m' },
    of: [
      duration('For status 200.'),
      {
        type: 'map',
        doc: 'By status. A class (4xx, any) leaves out what speaks of one request alone: 400, 408, 413, 417, 421, 425, 426, 429 and 431.',
        keys: 'status such as 404, or 4xx, or any',
        of: duration('How long.'),
      },
    ],
  }
}

const key: GroupSetting = {
  type: 'group',
  doc: 'What tells stored responses apart, beside scheme, host, port and path.',
  fields: {
    query: {
      type: 'either',
      doc: 'The query: all of it, none, or some parameters; the others do not reach the service either, see "guard". A name that ends with * stands for all that begin so.',
      of: [
        { type: 'choice', doc: 'All of it, or nothing.', values: ['all', 'none'] },
        {
          type: 'group',
          doc: 'Some parameters.',
          fields: {
            keep: names('Only these count.', 'page'),
            drop: names('All but these count.', 'utm_*'),
            sort: { type: 'flag', doc: 'The order of parameters does not count.' },
          },
        },
      ],
      example: { drop: ['utm_*'], sort: true },
    },
    cookies: names('Cookies that count.', 'language'),
    headers: names('Fields of the request that count.', 'X-Device'),
  },
}

const full: GroupSetting = {
  type: 'group',
  doc: 'A cache with options.',
  fields: {
    ttl: ttl('How long responses are fresh that do not say so themselves.'),
    override: ttl('How long responses are fresh, whatever they say: also no-store and private do not count.'),
    key,
    vary: {
      type: 'group',
      doc: 'How the Vary field of responses is followed.',
      fields: { ignore: names('Fields that do not count.', 'User-Agent') },
    },
    stale: {
      type: 'group',
      doc: 'How long stale responses are served; must-revalidate and such forbid it.',
      fields: {
        revalidate: duration(
          'While the service is asked in the background; stale-while-revalidate of a response comes first.',
        ),
        error: duration(
          'Instead of 500, 502, 503 and 504 of the service; stale-if-error of a response comes first.',
        ),
        down: duration('While the service cannot be reached; an hour unless said otherwise.'),
      },
      example: { revalidate: '1m', down: '1d' },
    },
    maxSize: { type: 'size', doc: 'Larger responses are not kept.', min: 1, max: 2 ** 40, example: '1GB' },
    bypass: {
      type: 'group',
      doc: 'Requests that pass by the cache, and their responses.',
      fields: {
        headers: names('Requests with one of these fields.', 'X-Preview'),
        cookies: names('Requests with one of these cookies.', 'session'),
      },
    },
    tags: names('Tags of all responses, for purges.', 'shop'),
    slice: {
      type: 'size',
      doc: 'Fetch large responses in pieces of this size, so that a seek fetches only what it needs. The service must answer ranges.',
      min: 65_536,
      max: 2 ** 28,
      example: '4MiB',
    },
    setCookie: {
      type: 'choice',
      doc: 'Whether responses with Set-Cookie are kept: when they say how long they are fresh, never, or as any other.',
      source: 'RFC 9111 §7.3',
      values: ['explicit', 'never', 'always'],
    },
    authorized: {
      type: 'flag',
      doc: 'Keep responses to requests with Authorization although they do not allow it, for everyone.',
      source: 'RFC 9111 §3.5',
    },
    guard: {
      type: 'flag',
      doc: 'Do not keep pages and data under paths that end like a file (.css, .png): somebody may have been led there (cache deception). Do not tell the service what the key leaves out of the query: one client would decide what all others get (cache poisoning). On unless said otherwise.',
    },
    status: {
      type: 'either',
      doc: 'Say in Cache-Status how a response came about. On unless said otherwise.',
      source: 'RFC 9211',
      example: 'key',
      of: [
        { type: 'flag', doc: 'Say it, or not.' },
        { type: 'choice', doc: 'Say it, and under which key it is stored.', values: ['key'] },
      ],
    },
    purge: {
      type: 'text',
      doc: 'SHA-256, in hexadecimal, of a token: who sends it as Bearer may send PURGE.',
      form: { pattern: '^[0-9a-fA-F]{64}$', say: '64 hexadecimal digits' },
    },
  },
}

/** The option `cache` of hosts and routes. */
export const cacheSetting: Setting = {
  type: 'either',
  doc: 'Responses of the service are kept and served again, as they allow.',
  example: true,
  of: [{ type: 'flag', doc: 'As responses allow.' }, full],
}

/** The cache that all routes share. */
export const cacheStoreSettings: GroupSetting = {
  type: 'group',
  doc: 'Where responses are kept that routes with "cache" keep.',
  fields: {
    memory: {
      type: 'size',
      doc: 'Memory for stored responses, with all that goes with them; each worker takes up to a quarter as much again for indexes of films that it streams. A change counts after a restart.',
      initial: 256 * 2 ** 20,
      min: 4 * 2 ** 20,
      max: 2 ** 40,
      example: '1GiB',
    },
    disk: {
      type: 'size',
      doc: 'Disk space for stored responses, which then survive a restart; none when absent.',
      min: 2 ** 24,
      max: 2 ** 50,
      example: '50GiB',
    },
    folder: {
      type: 'text',
      doc: 'Folder of the disk tier, for it alone; "cache" in the folder of state when absent.',
      example: './cache',
    },
  },
}
