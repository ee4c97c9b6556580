import type { Problem } from '#core/problem.ts'
import { type Names, typesAt, zoneOf } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { type OwnerNode, problem, say, textsOf, warning } from './finding.ts'
import { readTags, type Tags } from './tags.ts'

/** Tags with a list of values (RFC 9989 §4.7); unknown tags are passed over by everyone. */
const VALUES: Readonly<Record<string, RegExp>> = {
  p: /^(none|quarantine|reject)$/i,
  sp: /^(none|quarantine|reject)$/i,
  np: /^(none|quarantine|reject)$/i,
  adkim: /^[rs]$/i,
  aspf: /^[rs]$/i,
  t: /^[yn]$/i,
  psd: /^[ynu]$/i,
  fo: /^[01ds](\s*:\s*[01ds])*$/i,
}

/** What receivers do with unsigned mail, as they read it (RFC 9989 §4.7). */
export function checkDmarc({ owner, apex, types, names }: OwnerNode): Problem[] {
  const all = textsOf(types)
  if (!owner.startsWith('_dmarc.')) {
    const stray = all.find(({ text }) => isPolicy(text))
    // Reports that are allowed to come from elsewhere stand below "_report._dmarc" (RFC 9990 §4).
    if (stray === undefined || owner.includes('._report._dmarc.')) return []
    const below = owner === apex || /^_?dmarc\./.test(owner) ? '' : `.${owner.slice(0, -apex.length - 1)}`
    const message = `"${say(owner)}" has a policy of DMARC; receivers look for it below "_dmarc" (RFC 9989 §4.7).`
    return [problem('dns/dmarc', stray.draft.from, message, `"_dmarc${below}": { "TXT": … }`)]
  }
  const policies = all.filter(({ text }) => isPolicy(text))
  const [first, second] = policies
  if (first === undefined) return all.slice(0, 1).map(({ draft, text }) => noPolicy(draft, text))
  if (second !== undefined) {
    const message = `"${say(owner)}" has ${policies.length} policies of DMARC; receivers then ignore all of them (RFC 9989 §4.7).`
    return [problem('dns/dmarc', second.draft.from, message, 'keep one of them')]
  }
  return checkPolicy(first.draft, readTags(first.text), names)
}

/** The version is the one tag whose letters count. */
function isPolicy(text: string): boolean {
  return /^v\s*=\s*DMARC1\s*(;|$)/.test(text)
}

function noPolicy(draft: RecordDraft, text: string): Problem {
  const message = `"${text.slice(0, 40)}" of "${say(draft.owner)}" does not begin with "v=DMARC1;", so receivers see no policy there (RFC 9989 §4.7).`
  const rest = text.replace(/^\W*(v\s*=\s*)?dmarc1?\s*[;,]?\s*/i, '')
  return problem(
    'dns/dmarc',
    draft.from,
    message,
    `"v=DMARC1; ${rest === '' || rest === text ? 'p=none' : rest}"`,
  )
}

function checkPolicy(draft: RecordDraft, { values, faults }: Tags, names: Names): Problem[] {
  const owner = say(draft.owner)
  const odd = Object.entries(VALUES).find(([tag, form]) => values.has(tag) && !form.test(values.get(tag)!))
  if (faults[0] !== undefined || odd !== undefined) {
    const what = faults[0] ?? `has "${odd![0]}=${values.get(odd![0])}"`
    const message = `The policy of DMARC at "${owner}" is broken: ${what.replace(/^has /, 'it has ')}, which no receiver knows (RFC 9989 §4.7).`
    return [problem('dns/dmarc', draft.from, message, '"v=DMARC1; p=none", p=quarantine or p=reject')]
  }
  const uris = ['rua', 'ruf'].flatMap(
    (tag) =>
      values
        .get(tag)
        ?.split(',')
        .map((uri) => uri.trim()) ?? [],
  )
  const noUri = uris.find((uri) => !/^(mailto:[^@\s]+@[^@\s!]+|https:\/\/\S+)(![0-9]+[kmgt]?)?$/i.test(uri))
  if (noUri !== undefined) {
    const message = `The policy of DMARC at "${owner}" sends reports to "${noUri}"; a URI is wanted (RFC 9989 §4.7).`
    const fix = /^[^@\s:]+@[^@\s]+$/.test(noUri)
      ? `"rua=mailto:${noUri}"`
      : '"rua=mailto:reports@example.com"'
    return [problem('dns/dmarc', draft.from, message, fix)]
  }
  if (!values.has('p')) {
    const message = `The policy of DMARC at "${owner}" has no "p": it counts as p=none, and for older receivers as no policy (RFC 9989 §4.7).`
    return [warning('dns/dmarc-without-policy', draft.from, message, '"v=DMARC1; p=none; …"')]
  }
  return [...checkShare(draft, values.get('pct')), ...uris.flatMap((uri) => checkReceiver(draft, uri, names))]
}

/** Before RFC 9989 a policy could hold for a share of the mail. */
function checkShare(draft: RecordDraft, share: string | undefined): Problem[] {
  if (share === undefined || share === '100') return []
  const message = `The policy of DMARC at "${say(draft.owner)}" has "pct=${share}", which receivers no longer read: it holds for all mail (RFC 9989 §4.7).`
  const fix = share === '0' ? '"t=y" in its place' : 'no "pct"; "t=y" while you test'
  return [warning('dns/dmarc-share', draft.from, message, fix)]
}

/** Another domain must say that it takes the reports of this one (RFC 9990 §4); of our own domains we know. */
function checkReceiver(draft: RecordDraft, uri: string, names: Names): Problem[] {
  const domain = `${uri
    .toLowerCase()
    .replace(/^mailto:[^@]*@/, '')
    .replace(/!.*$/, '')
    .replace(/\.$/, '')}.`
  const sender = draft.owner.slice('_dmarc.'.length)
  const zone = zoneOf(domain, names.zones)
  if (!uri.toLowerCase().startsWith('mailto:') || zone === undefined || zone === zoneOf(sender, names.zones))
    return []
  const consent = `${sender}_report._dmarc.${domain}`
  if (typesAt(consent, names)?.has('TXT') === true) return []
  const message = `Reports about "${say(sender)}" go to ${say(domain)}, which does not say that it takes them, so nobody sends any (RFC 9990 §4).`
  const fix = `in "${say(zone)}": "${consent.slice(0, -zone.length - 1)}": { "TXT": "v=DMARC1" }`
  return [warning('dns/dmarc-reports', draft.from, message, fix)]
}
