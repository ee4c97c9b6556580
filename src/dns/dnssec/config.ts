import type { Setting } from '#core/settings.ts'
import type { DnssecPlan } from './plan.ts'

/** What `dnssec` of a domain says, after reading. */
export type DnssecConfig =
  | boolean
  | {
      readonly propagation: number
      readonly denial: 'compact' | 'nsec'
      readonly lifetime?: number
      readonly resolver?: string
    }

const DAY_MS = 86_400_000

/** Time until a change is everywhere, when the file does not say. */
const PROPAGATION_MS = 3_600_000

/** Whether a domain is signed, and how it changes its key. */
export const dnssecSetting: Setting = {
  type: 'either',
  doc: 'Sign the domain (DNSSEC), with a key that Portico makes and keeps. "portico dnssec ds" prints what the registrar wants. Taken away again, the domain stays signed until the registrar has removed the DS.',
  source: 'RFC 4033 to 4035, RFC 9824; algorithm 13 by RFC 8624 §3.1',
  example: true,
  of: [
    { type: 'flag', doc: 'Sign the domain.' },
    {
      type: 'group',
      doc: 'Sign the domain, with options.',
      fields: {
        denial: {
          type: 'choice',
          doc: 'How it is proven that a name is not there. "compact": by a signature for each name that is asked for, so that nobody can list the names of the domain. "nsec": by what stands before and behind it, signed once; names that are not there cost no signature then, and resolvers deny further ones by themselves (RFC 8198).',
          values: ['compact', 'nsec'],
          initial: 'compact',
        },
        lifetime: {
          type: 'duration',
          doc: 'Age at which a new key takes over by itself. When absent, only "portico dnssec roll" makes one. The parent must change the DS each time, by CDS or by hand.',
          min: DAY_MS,
          max: 3650 * DAY_MS,
          example: '365d',
        },
        propagation: {
          type: 'duration',
          doc: 'Time until all name servers of the domain have a change; each step of a roll-over waits for it beside the TTLs.',
          initial: PROPAGATION_MS,
          min: 0,
          max: 30 * DAY_MS,
          source: 'Knot waits as long',
        },
        resolver: {
          type: 'text',
          doc: 'Resolver that is asked for the DS at the parent. The one of the system when absent.',
          form: {
            pattern: '^(\\[[0-9a-fA-F:.]+\\]|[0-9.]+)(:\\d{1,5})?$',
            say: 'an address with or without port, such as "127.0.0.1", "127.0.0.1:5353" or "[::1]"',
          },
          example: '127.0.0.1',
        },
      },
    },
  ],
}

/** How a domain is signed; undefined when it is not. */
export function planDnssec(config: DnssecConfig | undefined): DnssecPlan | undefined {
  if (config === undefined || config === false) return undefined
  if (config === true)
    return { propagationMs: PROPAGATION_MS, lifetimeMs: null, resolver: null, denial: 'compact' }
  const { propagation, denial, lifetime = null, resolver = null } = config
  return { propagationMs: propagation, lifetimeMs: lifetime, resolver, denial }
}
