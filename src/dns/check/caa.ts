import type { Problem } from '#core/problem.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { parseRdata } from '../wire/rdata.ts'
import { TYPE } from '../wire/types.ts'
import { type OwnerNode, problem, say, warning } from './finding.ts'

/** One property of CAA (RFC 8659 §4). */
export type Caa = { readonly critical: boolean; readonly tag: string; readonly value: string }

/** Tags that authorities know; one that they do not know, marked critical, forbids issuing. */
const KNOWN: ReadonlySet<string> = new Set([
  'issue',
  'issuewild',
  'iodef',
  'contactemail',
  'contactphone',
  'issuemail',
  'issuevmc',
])

/** Read the data of a CAA record. */
export function readCaa({ data }: RecordDraft): Caa | undefined {
  const rdata = parseRdata(TYPE.CAA, data)
  if (typeof rdata === 'string') return undefined
  const { wire } = rdata
  const end = 2 + wire[1]!
  const text = (from: number, to: number): string => Buffer.from(wire.subarray(from, to)).toString('latin1')
  return { critical: (wire[0]! & 0x80) !== 0, tag: text(2, end).toLowerCase(), value: text(end, wire.length) }
}

/** What `issue` and `issuewild` say: an authority, or none, and its parameters (RFC 8659 §4.2). */
export function readIssuer(
  value: string,
): { issuer: string; parameters: ReadonlyMap<string, string> } | undefined {
  const [domain = '', ...rest] = value.split(';')
  const issuer = domain.trim().toLowerCase()
  if (issuer !== '' && !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(issuer))
    return undefined
  const parameters = new Map<string, string>()
  for (const parameter of rest.map((text) => text.trim()).filter((text) => text !== '')) {
    const [, name, content] = /^([a-z0-9][a-z0-9-]*)\s*=\s*([!-~]*)$/i.exec(parameter) ?? []
    if (name === undefined) return undefined
    parameters.set(name.toLowerCase(), content!)
  }
  return { issuer, parameters }
}

/** Properties that authorities cannot read, or read as a refusal (RFC 8659 §4.1, §4.2, §4.4). */
export function checkCaa({ owner, types }: OwnerNode): Problem[] {
  return (types.get('CAA') ?? []).flatMap((draft): Problem[] => {
    const caa = readCaa(draft)
    if (caa === undefined) return []
    const { critical, tag, value } = caa
    if (!KNOWN.has(tag)) {
      const message = `CAA of "${say(owner)}" has the tag "${tag}", which no authority knows${critical ? ' and which is marked critical: none may issue' : ''} (RFC 8659 §4.1).`
      const make = critical ? problem : warning
      return [make('dns/caa-tag', draft.from, message, '"0 issue \\"letsencrypt.org\\""')]
    }
    if ((tag === 'issue' || tag === 'issuewild') && readIssuer(value) === undefined) {
      const host = /[a-z0-9-]+(\.[a-z0-9-]+)+/i.exec(value)?.[0] ?? 'letsencrypt.org'
      const message = `CAA of "${say(owner)}" names "${value}", where the domain of an authority is wanted: none may issue (RFC 8659 §4.2).`
      return [problem('dns/caa-value', draft.from, message, `"0 ${tag} \\"${host}\\""`)]
    }
    if (tag === 'iodef' && !/^(mailto:[^@\s]+@|https?:\/\/)\S+$/i.test(value)) {
      const message = `CAA of "${say(owner)}" wants reports at "${value}"; a mailto: or https: URL is wanted (RFC 8659 §4.4).`
      return [
        problem(
          'dns/caa-value',
          draft.from,
          message,
          `"0 iodef \\"mailto:${value.includes('@') ? value : 'admin@example.com'}\\""`,
        ),
      ]
    }
    return []
  })
}
