import type { Setting } from '#core/settings.ts'
import type { SteerPolicy } from '#dns/pools/plan.ts'
import { exampleOfType } from './data-fix.ts'
import { looksLikeAddress } from './written-name.ts'

/** owner → type → records, as written. */
export type RecordsConfig = Readonly<Record<string, Readonly<Record<string, RecordSetConfig>>>>

/** One record, several, or none at all (an empty list hides what follows from the host). */
export type RecordSetConfig = string | readonly (string | RecordConfig)[] | RecordConfig

export type RecordConfig = {
  readonly data?: string | readonly string[]
  readonly ttl?: TtlConfig
  /** the addresses are those of a pool */
  readonly pool?: string
  readonly policy?: SteerPolicy
}

/** Seconds as a number, or a duration such as `1h`. */
export type TtlConfig = number | string

const ttl: Setting = {
  type: 'either',
  doc: 'How long a resolver may keep the record: seconds, or a duration.',
  source: 'RFC 2181 §8',
  example: '5m',
  of: [
    // Any whole number is read here: the check of the zone says what RFC 2181 allows.
    { type: 'integer', doc: 'Seconds.', unit: 'seconds', min: -(2 ** 53), max: 2 ** 53 },
    {
      type: 'text',
      doc: 'Duration.',
      example: '5m',
      form: { pattern: '^\\d+[smhdw]$', say: 'seconds as a number, or a duration such as "5m"' },
    },
  ],
}

const data: Setting = {
  type: 'text',
  doc: 'Data in the form of a zone file (RFC 1035 §5.1).',
  example: '203.0.113.7',
  meant: meantData,
}

/** Data of the type that the value stands under; one of several in a list, or the list itself. */
function meantData(_value: unknown, path: readonly (string | number)[]): string | undefined {
  const type = path.filter((step) => typeof step === 'string' && step !== 'data').at(-1)
  return exampleOfType(String(type))
}

/** Whoever writes a text for an owner means one record. */
function meantRecords(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const type = looksLikeAddress(value)
    ? value.includes(':')
      ? 'AAAA'
      : 'A'
    : /\s/.test(value)
      ? 'TXT'
      : 'CNAME'
  return `{ "${type}": ${JSON.stringify(value)} }`
}

const record: Setting = {
  type: 'group',
  doc: 'A record with its own TTL, or a pool that chooses an address for each client.',
  oneOf: ['data', 'pool'],
  fields: {
    data: {
      type: 'list',
      doc: 'Data in the form of a zone file (RFC 1035 §5.1).',
      of: data,
      single: true,
      max: 1000,
      meant: meantData,
    },
    ttl,
    pool: {
      type: 'text',
      doc: 'Name of a pool: A has its IPv4 members, AAAA its IPv6 members.',
      example: 'app',
    },
    policy: {
      type: 'choice',
      doc: 'Which member a client gets: the nearest (when absent), one by weight and chance, or the first that is up.',
      values: ['nearest', 'weighted', 'failover'],
      example: 'nearest',
    },
  },
}

/** Settings of a domain that only DNS knows. */
export const recordSettings: Readonly<Record<string, Setting>> = {
  records: {
    type: 'map',
    doc: 'Records beside those that follow from the hosts; what stands here wins over them.',
    keys: 'owner below the domain ("@" is the domain itself)',
    of: {
      type: 'map',
      doc: 'Records of one owner.',
      keys: 'type, such as TXT; or ALIAS: the addresses are those of another name',
      meant: meantRecords,
      of: {
        type: 'either',
        doc: 'One record, or several.',
        example: ['v=spf1 -all'],
        meant: meantData,
        of: [
          data,
          {
            type: 'list',
            doc: 'Records.',
            of: { type: 'either', doc: 'Record.', of: [data, record], meant: meantData },
            max: 1000,
          },
          record,
        ],
      },
    },
  },
  ttl,
}
