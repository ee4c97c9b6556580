import type { GroupSetting } from '#core/settings.ts'
import type { DnsLimits } from './plan.ts'

/** What `limits.dns` says, after reading. */
export type DnsLimitsConfig = {
  readonly udpPayload: number
  readonly tcpConnections: number
  readonly tcpIdle: number
  readonly signatures: number
}

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
  },
}

/** The limits of the plan as they were written or defaulted. */
export function dnsLimits({ udpPayload, tcpConnections, tcpIdle }: DnsLimitsConfig): DnsLimits {
  return { udpPayload, tcpConnections, tcpIdleMs: tcpIdle }
}
