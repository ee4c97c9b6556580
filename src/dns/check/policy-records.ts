import type { Problem } from '#core/problem.ts'
import { type OwnerNode, problem, say, textsOf } from './finding.ts'
import { readTags, type Tags } from './tags.ts'

/** Whether a text announces a policy of MTA-STS (RFC 8461 §3.1). */
export function isStsRecord(text: string): boolean {
  return /^v\s*=\s*STSv1\s*(;|$)/.test(text)
}

/** The record that announces a policy for mail over TLS (RFC 8461 §3.1); who serves the policy is checked across services. */
export function checkMtaSts(node: OwnerNode): Problem[] {
  return checkOne(node, {
    label: '_mta-sts.',
    code: 'dns/mta-sts-record',
    what: 'a record of MTA-STS',
    isOne: isStsRecord,
    form: '"v=STSv1; id=20260101"',
    section: 'RFC 8461 §3.1',
    faultOf: ({ values }) =>
      /^[A-Za-z0-9]{1,32}$/.test(values.get('id') ?? '')
        ? undefined
        : 'has no "id" of 1 to 32 letters and digits',
  })
}

/** Where reports about mail over TLS go (RFC 8460 §3). */
export function checkTlsReports(node: OwnerNode): Problem[] {
  return checkOne(node, {
    label: '_smtp._tls.',
    code: 'dns/tls-reports',
    what: 'a record of TLS-RPT',
    isOne: (text) => /^v\s*=\s*TLSRPTv1\s*(;|$)/.test(text),
    form: '"v=TLSRPTv1; rua=mailto:reports@example.com"',
    section: 'RFC 8460 §3',
    faultOf: ({ values }) => {
      const uris = values
        .get('rua')
        ?.split(',')
        .map((uri) => uri.trim()) ?? ['']
      const odd = uris.find((uri) => !/^(mailto:[^@\s]+@\S+|https:\/\/\S+)$/i.test(uri))
      return odd === undefined ? undefined : `has "rua=${odd}", where a mailto: or https: URI is wanted`
    },
  })
}

type OneRecord = {
  /** labels left of the domain that the record is for */
  readonly label: string
  readonly code: 'dns/mta-sts-record' | 'dns/tls-reports'
  readonly what: string
  readonly isOne: (text: string) => boolean
  /** a record as it may stand */
  readonly form: string
  readonly section: string
  readonly faultOf: (tags: Tags) => string | undefined
}

/** Exactly one record of the kind, in its form and at its place: of several or of a broken one senders see none. */
function checkOne(
  { owner, types }: OwnerNode,
  { label, code, what, isOne, form, section, faultOf }: OneRecord,
): Problem[] {
  const all = textsOf(types)
  const found = all.filter(({ text }) => isOne(text))
  const [first, second] = found
  if (!owner.startsWith(label)) {
    if (first === undefined) return []
    const message = `"${say(owner)}" has ${what}; senders look for it below "${say(label)}" (${section}).`
    return [problem(code, first.draft.from, message, `"${say(label)}": { "TXT": ${form} }`)]
  }
  if (first === undefined) {
    return all.slice(0, 1).map(({ draft, text }) => {
      const message = `"${text.slice(0, 40)}" of "${say(owner)}" does not begin with ${form.replace(/;.*$/, ';"')}, so senders see nothing there (${section}).`
      return problem(code, draft.from, message, form)
    })
  }
  if (second !== undefined) {
    const message = `"${say(owner)}" has ${found.length} times ${what}; senders then ignore all of them (${section}).`
    return [problem(code, second.draft.from, message, 'keep one of them')]
  }
  const tags = readTags(first.text)
  const fault = tags.faults[0] ?? faultOf(tags)
  if (fault === undefined) return []
  const message = `"${say(owner)}" has ${what} that is broken: ${fault.replace(/^has /, 'it has ')} (${section}).`
  return [problem(code, first.draft.from, message, form)]
}
