import { domainToUnicode } from 'node:url'
import type { Problem } from '#core/problem.ts'
import { labelsOf } from '../names.ts'
import { isHostLabel, nameBelow } from '../written-name.ts'
import { firstOf, type OwnerNode, problem, say, warning } from './finding.ts'

/** RFC 1123 §2.1 for names with addresses; the wildcard's place (RFC 4592 §2.1.1); A-labels (RFC 5891 §4). */
export function checkOwnerName({ owner, apex, types }: OwnerNode): Problem[] {
  const labels = labelsOf(owner)
  const first = firstOf(types)
  if (labels.slice(1).includes('*')) {
    const message = `"${say(owner)}" has a "*" that is not the leftmost label: it matches nothing but itself (RFC 4592 §2.1.1).`
    const wildcard = `${labels.slice(labels.lastIndexOf('*')).join('.')}.`
    return [problem('dns/wildcard-not-leftmost', first.from, message, `"${nameBelow(wildcard, apex)}"`)]
  }
  const foreign = labels.find((label) => label.startsWith('xn--') && !isALabel(label))
  if (foreign !== undefined) {
    const message = `"${foreign}" in "${say(owner)}" begins as a label in other letters does, but stands for none (RFC 5891 §4).`
    return [
      problem('dns/a-label', first.from, message, 'write the name in its own letters, such as "bücher"'),
    ]
  }
  const alias = types.get('CNAME')?.find(({ why }) => why === 'derived from the host')
  const address = types.get('A')?.[0] ?? types.get('AAAA')?.[0] ?? alias
  if (address === undefined) return []
  // The apex was checked when the domain was read: only what stands left of it is new.
  const below = owner === apex ? [] : labelsOf(owner.slice(0, -apex.length))
  const odd = below.find((label, index) => !(index === 0 && label === '*') && !isHostLabel(label))
  if (odd === undefined) return []
  if (isHostLabel(odd.replaceAll('_', 'a'))) {
    // An alias is often a key or a verification that another service keeps.
    if (address === alias) return []
    const message = `"${say(owner)}" has an address, but hosts have no "_" in their names (RFC 1123 §2.1); browsers and certificate authorities refuse it (RFC 8552 keeps "_" for other records).`
    return [warning('dns/underscore-on-address', address.from, message, `"${odd.replaceAll('_', '-')}"`)]
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
    const [service = '', transport = ''] = labelsOf(owner.slice(0, -apex.length))
    if (service === '*' || (service.startsWith('_') && TRANSPORTS.has(transport))) return []
    // One TLSA for several ports stands elsewhere, and aliases lead to it (RFC 7671 §6.1).
    if (type === 'TLSA' && (service.startsWith('_') || transport.startsWith('_'))) return []
    const wanted = type === 'SRV' ? '_xmpp-client._tcp' : '_443._tcp'
    const rest = owner === apex ? '' : `.${nameBelow(owner, apex).replace(/^(_[^.]*\.)+/, '')}`
    const message = `${type} of "${say(owner)}" stands at a name that nobody asks: it begins with "${wanted}" or another pair of service and transport (RFC 8552 §4.1).`
    return [warning('dns/underscore-missing', draft.from, message, `"${wanted}${rest}"`)]
  })
}
