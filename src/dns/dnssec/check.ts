import type { Problem } from '#core/problem.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import type { ZoneInput } from '../plan.ts'

/** Types that a zone which signs makes itself. */
const MADE: ReadonlySet<string> = new Set([
  'DNSKEY',
  'CDS',
  'CDNSKEY',
  'RRSIG',
  'NSEC',
  'NSEC3',
  'NSEC3PARAM',
])

/** Keys and signatures that were written into a zone which makes its own (RFC 4035 §2.1, §2.2). */
export function checkSigned({ apex, dnssec }: ZoneInput, drafts: readonly RecordDraft[]): Problem[] {
  if (dnssec === undefined) return []
  return drafts
    .filter(({ type }) => MADE.has(type))
    .map(({ owner, type, from }) => ({
      level: 'error',
      code: 'dns/dnssec-made',
      at: from,
      message: `${type} of "${owner.slice(0, -1)}" is written, and "dnssec" of "${apex.slice(0, -1)}" has Portico make it (RFC 4035 §2.1, §2.2).`,
      fix: 'remove it; or "dnssec": false, and sign elsewhere',
    }))
}
