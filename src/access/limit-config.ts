import type { GroupSetting, Setting } from '#core/settings.ts'

/** How much one client may ask for, as written. */
export type RateConfig = { readonly requests?: string; readonly burst?: number }
export type ClientLimitsConfig = RateConfig & { readonly connections?: number }

const rate: Readonly<Record<'requests' | 'burst', Setting>> = {
  requests: {
    type: 'text',
    doc: 'Most requests of one client in a second, minute or hour. More are answered with 429 and Retry-After.',
    form: { pattern: '^[1-9]\\d{0,6}/(s|m|h)$', say: 'a number, "/" and s, m or h, such as "100/s"' },
    example: '100/s',
  },
  burst: {
    type: 'integer',
    doc: 'Requests that may come at once after a rest; the number in `requests` when absent.',
    unit: 'requests',
    min: 1,
    max: 10_000_000,
    example: 200,
  },
}

/** Limits beside the kind of a host or a route; all requests to a host count together. */
export const rateSettings: GroupSetting = {
  type: 'group',
  doc: 'What one client may ask for. A client is an IPv4 address or an IPv6 /64. A route with its own does not count for its host.',
  fields: rate,
  example: { requests: '100/s', burst: 200 },
}

/** Limits over everything that is served. */
export const clientLimitSettings: GroupSetting = {
  type: 'group',
  doc: 'What one client may ask of all hosts together. A client is an IPv4 address or an IPv6 /64; behind proxies of `trust`, the address that they name.',
  fields: {
    ...rate,
    connections: {
      type: 'integer',
      doc: 'Most connections of one client at a time. More are closed at once. Proxies of `trust` may have any number.',
      unit: 'connections',
      min: 1,
      max: 1_000_000,
      example: 100,
    },
  },
}

/** What the whole process may take. */
export const memorySetting: Setting = {
  type: 'size',
  doc: 'Memory of the process beyond which new requests get 503 at once, so that those under way can finish; no limit when absent.',
  min: 2 ** 26,
  max: 2 ** 44,
  example: '1GiB',
}
