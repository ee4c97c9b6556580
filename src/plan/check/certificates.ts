import { getPublicSuffix } from 'tldts-icann'
import type { Problem } from '#core/problem.ts'
import { type Caa, readIssuer } from '#dns/check/caa.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { specialName } from '#dns/records/special-names.ts'
import { type Authority, publicAuthoritiesOf } from '#plan/authorities.ts'
import type { HostDraft } from '#plan/host-draft.ts'
import { issuersFor, leadsAway } from '#plan/wildcard-refusals.ts'
import type { Across } from './across.ts'

/** Whether each host can have the certificate that it needs, from each authority that the file names. */
export function checkCertificates(across: Across): Problem[] {
  const { config, facts, hosts } = across
  if (facts.dev || !across.listeners.some(({ protocol }) => protocol === 'https')) return []
  const authorities = publicAuthoritiesOf(config.value.certificates)
  return [
    ...hosts.flatMap(checkWildcard),
    ...hosts.flatMap((host) => checkSpecial(host, authorities)),
    ...authorities.flatMap((authority) => checkCaa(across, authority)),
    ...(authorities.length === 0 ? [] : checkChallenges(across)),
  ]
}

/** No client takes a wildcard for all domains of a registry, and no authority issues one (RFC 6125 §7.2 warns of them). */
function checkWildcard(host: HostDraft): Problem[] {
  if (!host.name.startsWith('*.')) return []
  const parent = host.name.slice(2, -1)
  if (getPublicSuffix(parent) !== parent) return []
  const message = `"${host.text}" needs a certificate for *.${parent}, but "${parent}" is a public suffix: no authority issues it, and browsers refuse it (RFC 6125 §7.2).`
  return [
    {
      level: 'error',
      code: 'tls/forbidden-wildcard',
      at: host.at(),
      message,
      fix: 'write each host by its name',
    },
  ]
}

/** Authorities of the public issue for names of the public DNS. */
function checkSpecial(host: HostDraft, authorities: readonly Authority[]): Problem[] {
  const found = specialName(host.name) ?? singleLabel(host.name)
  const authority = authorities.find(({ caa }) => caa !== null)
  if (found === undefined || authority === undefined) return []
  const message = `"${host.name.slice(0, -1)}" is a name of one's own network (${found.source}), so ${authority.name} never issues a certificate for it.`
  return [
    {
      level: 'error',
      code: 'tls/special-name',
      at: host.at(),
      message,
      fix: '"certificates": { "issuer": "local" }, or a domain of the public DNS',
    },
  ]
}

function singleLabel(name: string): { source: string } | undefined {
  return /^(\*\.)?[^.]+\.$/.test(name) ? { source: 'it has one label' } : undefined
}

/** CAA that forbids what the file asks for: found before the authority refuses (RFC 8659 §3, RFC 8657 §3, §4). */
function checkCaa({ hosts, names }: Across, authority: Authority): Problem[] {
  if (authority.caa === null) return []
  const told = new Set<RecordDraft>()
  return hosts.flatMap((host): Problem[] => {
    const isWildcard = host.name.startsWith('*.')
    const issue = issuersFor(host.name, names)
    const [first] = issue
    if (first === undefined || told.has(first.draft)) return []
    const own = issue.filter(({ caa }) => authority.caa!.includes(readIssuer(caa.value)?.issuer ?? ''))
    const why =
      own.length === 0
        ? 'does not let'
        : conditionOf(
            own.map(({ caa }) => caa),
            authority,
            isWildcard,
          )
    if (why === undefined) return []
    const { draft, caa } = own[0] ?? first
    told.add(first.draft)
    const name = host.name.slice(0, -1)
    const section =
      own.length === 0 ? 'RFC 8659 §4.2' : why.includes('account') ? 'RFC 8657 §3' : 'RFC 8657 §4'
    const message = `CAA of "${draft.owner.slice(0, -1)}" has ${caa.tag} "${caa.value}" and ${why} ${authority.name} issue for ${name} (${section}).`
    const fix = `"0 ${caa.tag} \\"${authority.caa![0]}\\""`
    return [{ level: 'error', code: 'tls/caa-forbids', at: draft.from, message, fix }]
  })
}

/** Why none of the properties that name the authority helps; undefined when one does. */
function conditionOf(own: readonly Caa[], { host }: Authority, isWildcard: boolean): string | undefined {
  const reasons = own.map(({ value }) => {
    const parameters = readIssuer(value)!.parameters
    const account = parameters.get('accounturi')
    const methods = parameters.get('validationmethods')?.split(',')
    if (
      account !== undefined &&
      !(URL.canParse(account) && `.${new URL(account).hostname}`.endsWith(`.${host}`))
    )
      return 'lets only an account of another authority make'
    // A wildcard is proved over DNS alone (RFC 8555 §7.4.1).
    const usable = isWildcard
      ? ['dns-01', 'dns-persist-01']
      : ['dns-01', 'http-01', 'tls-alpn-01', 'dns-persist-01']
    if (methods !== undefined && !methods.some((method) => usable.includes(method.trim())))
      return 'lets no method that can be used here make'
    return undefined
  })
  return reasons.includes(undefined) ? undefined : reasons[0]
}

/** An authority asks for `_acme-challenge` in DNS (RFC 8555 §8.4): for a wildcard there is no other way. */
function checkChallenges({ hosts, names }: Across): Problem[] {
  const told = new Set<RecordDraft>()
  return hosts.flatMap((host): Problem[] => {
    const isWildcard = host.name.startsWith('*.')
    const base = isWildcard ? host.name.slice(2) : host.name
    const needed = isWildcard ? `, and a wildcard is proved in no other way` : ''
    const away = leadsAway(`_acme-challenge.${base}`, names)
    if (away === undefined || told.has(away)) return []
    told.add(away)
    const message = `The authority looks for the proof of ${host.name.slice(0, -1)} at _acme-challenge.${base.slice(0, -1)}, and ${away.type} ${away.data.replace(/\.$/, '')} has others answer there${needed} (RFC 8555 §8.4).`
    // A name that has its challenge kept elsewhere by alias is one that others may prove.
    const level = isWildcard || away.type === 'NS' ? 'error' : 'warning'
    return [
      { level, code: 'tls/challenge-elsewhere', at: away.from, message, fix: `remove that ${away.type}` },
    ]
  })
}
