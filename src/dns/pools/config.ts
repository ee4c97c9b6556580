import type { Setting } from '#core/settings.ts'

/** What `pools` says, after reading: pools by name. */
export type PoolsConfig = Readonly<Record<string, PoolConfig>>

export type PoolConfig = {
  readonly members: readonly (string | MemberConfig)[]
  readonly health?: MemberHealthConfig
  readonly whenDown: 'all' | 'none'
}

export type MemberConfig = { readonly address: string; readonly location?: string; readonly weight?: number }

export type MemberHealthConfig = {
  readonly port: number
  readonly path?: string
  readonly tls: boolean
  readonly host?: string
  readonly status: readonly number[]
  readonly interval: number
  readonly timeout: number
  readonly up: number
  readonly down: number
}

/** What `places` says, after reading. */
export type PlacesConfig = { readonly file?: string; readonly networks?: Readonly<Record<string, string>> }

const location: Setting = {
  type: 'text',
  doc: 'Degrees north and east, or the two letters of a country (ISO 3166-1).',
  form: {
    pattern: '^(-?\\d{1,2}(\\.\\d+)?, ?-?\\d{1,3}(\\.\\d+)?|[A-Z]{2})$',
    say: 'degrees such as "50.11,8.68", or a country such as "DE"',
  },
  example: '50.11,8.68',
}

const address: Setting = { type: 'text', doc: 'IPv4 or IPv6 address.', example: '203.0.113.10' }

const member: Setting = {
  type: 'either',
  doc: 'Address of a member.',
  example: '203.0.113.10',
  of: [
    address,
    {
      type: 'group',
      doc: 'A member with its place and its share.',
      required: ['address'],
      fields: {
        address,
        location,
        weight: {
          type: 'integer',
          doc: 'Its share, beside those of the others.',
          initial: 1,
          min: 1,
          max: 1000,
        },
      },
    },
  ],
}

const health: Setting = {
  type: 'group',
  doc: 'Members are asked regularly, from here, whether they are up; known before the first answer.',
  required: ['port'],
  fields: {
    port: { type: 'integer', doc: 'Port that is asked.', min: 1, max: 65_535, example: 80 },
    path: {
      type: 'text',
      doc: 'What is asked for, by GET; absent: a TCP connection is enough.',
      form: { pattern: '^/[\\x21-\\x7e]{0,1000}$', say: 'a path such as "/healthz"' },
      example: '/healthz',
    },
    tls: {
      type: 'flag',
      doc: 'Ask over TLS. Certificates are not verified: they say nothing of health.',
      initial: false,
    },
    host: { type: 'text', doc: 'Name in Host and SNI; absent: the address.', example: 'app.example.com' },
    status: {
      type: 'list',
      doc: 'Statuses that say the member is well.',
      of: { type: 'integer', doc: 'Status.', min: 100, max: 599, example: 200 },
      initial: [200],
      single: true,
      max: 50,
    },
    interval: {
      type: 'duration',
      doc: 'Time between checks of one member, a tenth more or less by chance.',
      initial: 10_000,
      min: 100,
      max: 3_600_000,
    },
    timeout: { type: 'duration', doc: 'Time for a check.', initial: 2000, min: 10, max: 60_000 },
    up: {
      type: 'integer',
      doc: 'Good checks in a row until a member that was down is answered again.',
      initial: 2,
      min: 1,
      max: 100,
    },
    down: {
      type: 'integer',
      doc: 'Bad checks in a row until a member is not answered any more.',
      initial: 3,
      min: 1,
      max: 100,
    },
  },
}

/** Pools of addresses that records choose from. */
export const poolSettings: Setting = {
  type: 'map',
  doc: 'Pools: addresses that do the same. A record says "pool" and names one; each client gets the address of one member.',
  keys: 'name of the pool',
  example: { app: { members: ['203.0.113.10', '198.51.100.10'] } },
  of: {
    type: 'group',
    doc: 'A pool.',
    required: ['members'],
    fields: {
      members: { type: 'list', doc: 'Addresses, the preferred ones first.', of: member, max: 256 },
      health,
      whenDown: {
        type: 'choice',
        doc: 'The answer when no member is up: every member, since checks may be wrong and nothing surely is; or none.',
        values: ['all', 'none'],
        initial: 'all',
      },
    },
  },
}

/** Where clients are, for pools with the policy "nearest". */
export const placeSettings: Setting = {
  type: 'group',
  doc: 'Where clients are, for pools that answer with the nearest member.',
  fields: {
    file: {
      type: 'text',
      path: 'file',
      doc: 'File in the format of MaxMind (.mmdb), of cities or of countries.',
      example: './GeoLite2-City.mmdb',
    },
    networks: {
      type: 'map',
      doc: 'Places of networks; the longest prefix wins, and wins over the file.',
      keys: 'network (CIDR)',
      of: location,
      example: { '198.51.100.0/24': '50.11,8.68' },
    },
  },
}
