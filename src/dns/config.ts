import type { GroupSetting } from '#core/settings.ts'
import type { DnsLimits, MannerPlan, RatePlan } from './plan.ts'

/** What `limits.dns` says, after reading. */
export type DnsLimitsConfig = {
  readonly udpPayload: number
  readonly tcpConnections: number
  readonly tcpIdle: number
  readonly signatures: number
  readonly rate?: RatePlan
}

/** What `dns` says, after reading. */
export type DnsConfig = { readonly nsid?: string; readonly resolver?: string; readonly name?: string }

/** What DNS clients may use up; it becomes `DnsLimits`. */
export const dnsSettings: GroupSetting = {
  type: 'group',
  doc: 'What clients may use up over DNS.',
  fields: {
    udpPayload: {
      type: 'integer',
      doc: 'Largest answer over UDP. A longer one is truncated, and the client asks again over TCP.',
      unit: 'octets',
      initial: 1232,
      min: 512,
      max: 4096,
      source: 'DNS Flag Day 2020; RFC 6891 §6.2.3',
    },
    tcpConnections: {
      type: 'integer',
      doc: 'Most TCP connections at a time, shared out evenly to the workers. One more closes the connection that has been idle longest.',
      unit: 'connections',
      initial: 512,
      min: 1,
      max: 65_536,
      source:
        'RFC 7766 §6.2.2 asks for a limit; a connection takes about 5 kB, and more while it is slow to read',
    },
    tcpIdle: {
      type: 'duration',
      doc: 'Time that a TCP connection stays open without a complete query.',
      initial: 10_000,
      min: 100,
      max: 600_000,
      source: 'RFC 7766 §6.2.3: a few seconds',
    },
    signatures: {
      type: 'integer',
      doc: 'Most signatures of DNSSEC made in a second, shared out evenly to the workers. Beyond, who asks over UDP for what is not signed yet gets a truncated answer, and asks again over TCP.',
      unit: 'signatures',
      initial: 20_000,
      min: 100,
      max: 1_000_000,
      source: 'measured: a signature takes 25 µs of a core; names that do not exist need one each',
    },
    rate: {
      type: 'group',
      doc: 'How many answers over UDP a network of clients (IPv4 /24, IPv6 /56) gets; absent: as many as it asks for. Clients with a DNS cookie of ours, and connections, are not limited.',
      required: ['perSecond'],
      fields: {
        perSecond: {
          type: 'integer',
          doc: 'Answers to one network, shared out evenly to the workers; twice as many may come at once.',
          unit: 'answers',
          min: 1,
          max: 1_000_000,
          example: 200,
        },
        slip: {
          type: 'integer',
          doc: 'Of so many answers that are held back one goes out truncated, so that a client asks again over TCP; 0: none does.',
          initial: 2,
          min: 0,
          max: 10,
        },
        exempt: {
          type: 'list',
          doc: 'Networks without limit.',
          of: { type: 'text', doc: 'Address or network (CIDR).', example: '192.0.2.0/24' },
          initial: ['127.0.0.0/8', '::1/128'],
          single: true,
          max: 256,
        },
      },
    },
  },
}

/** How DNS answers, beside what it answers. */
export const mannerSettings: GroupSetting = {
  type: 'group',
  doc: 'How DNS is answered, whatever the answer is.',
  fields: {
    nsid: {
      type: 'text',
      doc: 'What this server calls itself to clients that ask which one answered (RFC 5001); absent: nothing.',
      form: { pattern: '^[\\x21-\\x7e]{1,128}$', say: '1 to 128 letters without spaces' },
      example: 'ns1',
    },
    name: {
      type: 'text',
      doc: 'Host whose certificate clients of DNS over TLS get that send no name; absent: the first host.',
      example: 'ns1.example.com',
    },
    resolver: {
      type: 'text',
      doc: 'Resolver that is asked for the targets of ALIAS; absent: the first of this machine.',
      form: {
        pattern: '^(\\[[0-9a-fA-F:]+\\]|[0-9.]+)(:\\d{1,5})?$|^[0-9a-fA-F:]+$',
        say: 'an address, such as "9.9.9.9" or "[2620:fe::fe]:53"',
      },
      example: '9.9.9.9',
    },
  },
}

/** The manner of the plan as it was written or defaulted. */
export function dnsManner({ nsid, resolver, name }: DnsConfig, { rate }: DnsLimitsConfig): MannerPlan {
  return {
    ...(nsid === undefined ? {} : { nsid }),
    ...(name === undefined ? {} : { name: name.toLowerCase() }),
    ...(resolver === undefined ? {} : { resolver }),
    ...(rate === undefined ? {} : { rate }),
  }
}

/** The limits of the plan as they were written or defaulted. */
export function dnsLimits({ udpPayload, tcpConnections, tcpIdle }: DnsLimitsConfig): DnsLimits {
  return { udpPayload, tcpConnections, tcpIdleMs: tcpIdle }
}
