import { domainToUnicode } from 'node:url'
import type { Problem } from '#core/problem.ts'
import { labelsOf } from '#dns/records/names.ts'
import { isHostLabel, nameBelow } from '#dns/records/written-name.ts'
import { type OwnerNode, problem, say, warning } from './finding.ts'

/** RFC 1123 §2.1 for names with addresses; the wildcard's place (RFC 4592 §2.1.1); A-labels (RFC 5891 §4). */
export function checkOwnerName({ owner, apex, types }: OwnerNode): Problem[] {
  const labels = owner.includes('*', 1) ? labelsOf(owner) : []
  if (labels.includes('*', 1)) {
    const message = `"${say(owner)}" has a "*" that is not the leftmost label: it matches nothing but itself (RFC 4592 §2.1.1).`
    const wildcard = `${labels.slice(labels.lastIndexOf('*')).join('.')}.`
    return [problem('dns/wildcard-not-leftmost', types.first.from, message, `"${nameBelow(wildcard, apex)}"`)]
  }
  if (!owner.includes('xn--')) return checkHostName({ owner, apex, types })
  const foreign = checkForeign({ owner, apex, types })
  return foreign.length > 0 ? foreign : checkHostName({ owner, apex, types })
}

type Owner = Pick<OwnerNode, 'owner' | 'apex' | 'types'>

/** Labels in other letters: that they stand for some, and for which (RFC 5891 §4). */
function checkForeign({ owner, apex, types }: Owner): Problem[] {
  const first = types.first
  // What the apex has is said of it alone, not of every name below.
  const own = labelsOf(owner === apex ? owner : owner.slice(0, -apex.length))
  const foreign = own.find((label) => label.startsWith('xn--') && !isALabel(label))
  if (foreign !== undefined) {
    const message = `"${foreign}" in "${say(owner)}" begins as a label in other letters does, but stands for none (RFC 5891 §4).`
    return [
      problem('dns/a-label', first.from, message, 'write the name in its own letters, such as "bücher"'),
    ]
  }
  const odd = own.find((label) => label.startsWith('xn--') && FORBIDDEN.test(domainToUnicode(label)))
  if (odd !== undefined) {
    const letters = domainToUnicode(odd)
    const message = `"${letters}" has "${FORBIDDEN.exec(letters)![0]}", which is no letter or digit of any script: registries refuse it, and programs differ (RFC 5892 §2.1).`
    return [warning('dns/idna-character', first.from, message, 'letters and digits of one script')]
  }
  return []
}

/** Neither letter, mark nor digit (RFC 5892 §2.1), nor one that needs its neighbours (RFC 5892 appendix A). */
const FORBIDDEN = /[^\p{L}\p{M}\p{Nd}a-z0-9-\u00b7\u0375\u05f3\u05f4\p{Join_Control}\u3007\u30fb]/u

/** What most names have left of the apex. */
const PLAIN_HOST = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*$/

function checkHostName({ owner, apex, types }: Owner): Problem[] {
  const alias = types.get('CNAME')?.find(({ why }) => why === 'derived from the host')
  const address = types.get('A')?.[0] ?? types.get('AAAA')?.[0] ?? alias
  if (address === undefined) return []
  // The apex was checked when the domain was read: only what stands left of it is new.
  const below = owner.slice(0, -apex.length)
  if (PLAIN_HOST.test(below)) return []
  const odd = labelsOf(below).find((label, index) => !(index === 0 && label === '*') && !isHostLabel(label))
  if (odd === undefined) return []
  if (isHostLabel(odd.replaceAll('_', 'a'))) {
    // An alias is often a key or a verification that another service keeps.
    if (address === alias) return []
    const message = `"${say(owner)}" has an address, but hosts have no "_" in their names (RFC 1123 §2.1); browsers and certificate authorities refuse it (RFC 8552 keeps "_" for other records).`
    return [
      warning(
        'dns/underscore-on-address',
        address.from,
        message,
        `"${odd.replaceAll('_', '-').replace(/^-+|-+$/g, '') || 'host'}"`,
      ),
    ]
  }
  const message = `"${odd}" in "${say(owner)}" is no host name: letters, digits and "-" inside (RFC 1123 §2.1).`
  const plain = odd.replace(/[^a-z0-9-]/g, '').replace(/^-+|-+$/g, '')
  const fix = plain === '' ? 'rename the host' : `"${plain}"`
  return [problem('dns/host-name-characters', address.from, message, fix)]
}

/** What `domainToUnicode` gives for a label that encodes nothing is empty, or the label itself. */
function isALabel(label: string): boolean {
  const unicode = domainToUnicode(label)
  return unicode !== '' && unicode !== label
}

/** Transports that stand as the second label of SRV and TLSA, in the registry of RFC 8552 §4.1. */
const TRANSPORTS: ReadonlySet<string> = new Set(['_tcp', '_udp', '_sctp', '_dccp', '_tls', '_quic'])

/** SRV and TLSA are asked for at names with underscores, and found nowhere else (RFC 2782, RFC 6698 §3, RFC 8552 §4.1). */
export function checkServiceOwner({ owner, apex, types }: OwnerNode): Problem[] {
  return ['SRV', 'TLSA'].flatMap((type) => {
    const draft = types.get(type)?.[0]
    if (draft === undefined) return []
    const labels = labelsOf(owner.slice(0, -apex.length))
    // Names of instances stand before the pair (RFC 6763 §4.1).
    const hasPair = labels.some((label, i) => TRANSPORTS.has(label) && (labels[i - 1] ?? '').startsWith('_'))
    if (hasPair || labels[0] === '*') return []
    // One TLSA for several ports stands elsewhere, and aliases lead to it (RFC 7671 §6.1).
    if (type === 'TLSA' && labels.some((label) => label.startsWith('_'))) return []
    const wanted = type === 'SRV' ? '_xmpp-client._tcp' : '_443._tcp'
    const below = owner === apex ? '' : nameBelow(owner, apex).replace(/^(_[^.]*(\.|$))+/, '')
    const rest = below === '' ? '' : `.${below}`
    const message = `${type} of "${say(owner)}" stands at a name that nobody asks: it begins with "${wanted}" or another pair of service and transport (RFC 8552 §4.1).`
    return [warning('dns/underscore-missing', draft.from, message, `"${wanted}${rest}"`)]
  })
}
