import type { Setting } from '#core/settings.ts'

/** What may be written beside the kind of a host or route: how requests and responses change on their way through. */
export type TransformConfig = {
  readonly compress?: boolean
  readonly headers?: { readonly request?: FieldRulesConfig; readonly response?: FieldRulesConfig }
  readonly security?: boolean
  readonly strip?: string
  readonly rewrite?: string
  readonly errors?: Readonly<Record<string, ErrorPageConfig>>
  readonly maintenance?: boolean | MaintenanceConfig
  readonly earlyHints?: readonly string[]
  readonly delivery?: 'streamed' | 'buffered'
  readonly serverTiming?: boolean
}

/** What stands in `limits` of a host or route about the speed of one response. */
export type PaceConfig = { readonly rate?: string; readonly rateAfter?: number }

export type FieldRulesConfig = {
  readonly set?: Readonly<Record<string, string>>
  readonly add?: Readonly<Record<string, string>>
  readonly remove?: readonly string[]
}

export type ErrorPageConfig = string | { readonly page: string; readonly origin?: boolean }

export type MaintenanceConfig = {
  readonly page?: string
  /** milliseconds */
  readonly retryAfter?: number
  readonly allow?: readonly string[]
}

const value: Setting = {
  type: 'text',
  doc: 'Value; {client.address}, {request.host} and such are replaced.',
  example: '{client.address}',
}

function rules(doc: string): Setting {
  return {
    type: 'group',
    doc,
    fields: {
      set: {
        type: 'map',
        doc: 'Fields that stand once, instead of what was there.',
        keys: 'field name',
        of: value,
      },
      add: { type: 'map', doc: 'Fields beside what was there.', keys: 'field name', of: value },
      remove: {
        type: 'list',
        doc: 'Fields that are left out.',
        of: { type: 'text', doc: 'Field name.', example: 'Server' },
        single: true,
        max: 100,
      },
    },
  }
}

const page: Setting = {
  type: 'text',
  path: 'file',
  doc: 'File, relative to this one; at most 1 MiB. A change of it shows within a few seconds.',
  example: './404.html',
}

/** Part of `limits` of hosts and routes. */
export const paceSettings: Readonly<Record<keyof PaceConfig, Setting>> = {
  rate: {
    type: 'text',
    doc: 'How fast one response goes at most: octets a second, or, such as `"1.5x"`, so many times as fast as it is played: MP4, WebM and Matroska from files, buckets, and services whose films begin with how long they last. As fast as its client takes it when absent.',
    form: {
      pattern: '^(?:[1-9]\\d{0,5}(?:KB|KiB|MB|MiB|GB|GiB)/s|[1-9]\\d?(?:\\.\\d{1,2})?x)$',
      say: 'a size, such as "500KB", and "/s", or a number from 1 and "x", such as "1.5x"',
    },
    example: '500KB/s',
  },
  rateAfter: {
    type: 'size',
    doc: 'Octets of a response that go at once, before `rate` holds.',
    min: 0,
    max: 2 ** 40,
    example: '5MB',
  },
}

/** The options of hosts and routes; what a route does not say is as its host says. */
export const transformSettings: Readonly<Record<string, Setting>> = {
  compress: {
    type: 'flag',
    doc: 'Text is compressed with zstd, br or gzip for clients that accept it.',
    source:
      'off unless asked for, because the length of compressed content can betray a secret that stands beside what an attacker wrote (BREACH)',
    example: true,
  },
  headers: {
    type: 'group',
    doc: 'Fields that are set, added or removed; those of a route come after those of its host.',
    fields: {
      request: rules('Fields of requests to the service.'),
      response: rules('Fields of responses to the client.'),
    },
    example: { response: { set: { 'X-Robots-Tag': 'noindex' }, remove: ['Server'] } },
  },
  security: {
    type: 'flag',
    doc: 'Responses get Strict-Transport-Security for a year (over TLS), X-Content-Type-Options: nosniff, Referrer-Policy and X-Frame-Options: SAMEORIGIN where they do not have them.',
    source: 'RFC 6797, Fetch, Referrer Policy, RFC 7034',
    example: true,
  },
  strip: {
    type: 'text',
    doc: 'Start of the path that is left out before the request goes on: whole segments. Location is left alone.',
    form: { pattern: '^(?:/[^/?#*\\s]+)+/?$', say: 'the start of a path, such as "/api"' },
    example: '/api',
  },
  rewrite: {
    type: 'text',
    doc: 'Path that the request goes on with; each "*", and "**", is what the same star of the route matched. The query stays.',
    form: { pattern: '^/[^?#\\s]*$', say: 'a path, such as "/new/**"' },
    example: '/new/**',
  },
  errors: {
    type: 'map',
    doc: 'Pages of your own for errors.',
    keys: 'status such as 404, or 4xx or 5xx',
    of: {
      type: 'either',
      doc: 'The page for errors that Portico answers with.',
      of: [
        page,
        {
          type: 'group',
          doc: 'A page with options.',
          required: ['page'],
          fields: {
            page,
            origin: {
              type: 'flag',
              doc: 'Also instead of what a service answers with that status.',
              initial: false,
            },
          },
        },
      ],
    },
    example: { '404': './404.html', '5xx': './down.html' },
  },
  maintenance: {
    type: 'either',
    doc: 'Every request is answered with 503.',
    example: true,
    of: [
      { type: 'flag', doc: 'Every request is answered with 503.' },
      {
        type: 'group',
        doc: 'Maintenance with options.',
        fields: {
          page,
          retryAfter: {
            type: 'duration',
            doc: 'When to ask again, sent as Retry-After.',
            min: 1000,
            max: 30 * 86_400_000,
            source: 'RFC 9110 §10.2.3',
            example: '10m',
          },
          allow: {
            type: 'list',
            doc: 'Addresses and networks of clients that are served as usual.',
            of: { type: 'text', doc: 'Address or network.', example: '10.0.0.0/8' },
            single: true,
            max: 256,
          },
        },
      },
    ],
  },
  delivery: {
    type: 'choice',
    doc: '"streamed": a response goes out as it comes. "buffered": it goes out when all of it is there, so that one that breaks off becomes an error page, and its length is known. Server-sent events, what is longer than 1 MiB, and what has not ended within a second are streamed all the same.',
    values: ['streamed', 'buffered'],
    initial: 'streamed',
  },
  serverTiming: {
    type: 'flag',
    doc: 'Responses say in Server-Timing how long the answer took, who gave it, and whether it was streamed or buffered, and why.',
    source: 'W3C Server Timing',
    example: true,
  },
  earlyHints: {
    type: 'list',
    doc: 'Links sent with 103 before the response, to browsers that open a page.',
    source: 'RFC 8297',
    of: { type: 'text', doc: 'Link.', example: '</app.css>; rel=preload; as=style' },
    single: true,
    max: 20,
    example: ['</app.css>; rel=preload; as=style'],
  },
}
