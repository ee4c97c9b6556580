import type { Position, Problem } from '#core/problem.ts'
import { textsOf } from '#dns/check/finding.ts'
import { isStsRecord } from '#dns/check/policy-records.ts'
import { type Types, typesAt } from '#dns/records/names.ts'
import { isPrivateName } from '#dns/records/special-names.ts'
import { compileRoutes, type RouteTable, route } from '#http/route.ts'
import { publicAuthoritiesOf } from '#plan/authorities.ts'
import type { Across } from './across.ts'

const LABEL = '_mta-sts.'
const PATH = '/.well-known/mta-sts.txt'

/** A policy of MTA-STS that DNS announces is served over HTTPS, and names the servers that take the mail (RFC 8461 §3.3). */
export function checkMtaSts(across: Across): Problem[] {
  const table = compileRoutes(across.plans)
  const places = [...across.names.owners.keys()].filter((owner) => /^_?mta-sts\./.test(owner))
  return places.flatMap((owner) => {
    if (!owner.startsWith(LABEL)) return checkUnannounced(owner, across)
    const types = across.names.owners.get(owner)!
    const record = textsOf(types).find(({ text }) => isStsRecord(text))
    return record === undefined
      ? []
      : checkPolicy(owner.slice(LABEL.length), record.draft.from, { across, table })
  })
}

type Served = { readonly across: Across; readonly table: RouteTable }

function checkPolicy(domain: string, at: Position, { across, table }: Served): Problem[] {
  const { names, listeners, drafted } = across
  const name = `mta-sts.${domain}`
  const types = typesAt(name, names)
  if (isElsewhere(types, drafted)) return []
  const nobody = (why: string): Problem[] => {
    const message = `"${LABEL}${domain.slice(0, -1)}" announces a policy at https://${name.slice(0, -1)}${PATH}, but ${why} (RFC 8461 §3.3).`
    const fix = `"hosts": { "mta-sts": { "respond": "version: STSv1\\nmode: testing\\nmx: mail.${domain.slice(0, -1)}\\nmax_age: 604800\\n" } }`
    return [{ level: 'error', code: 'plan/mta-sts-unserved', at, message, fix }]
  }
  if (types === undefined) return nobody('that name has no address')
  if (!listeners.some(({ protocol }) => protocol === 'https'))
    return nobody('Portico does not listen for HTTPS')
  const { host, route: found } = route(table, name.slice(0, -1), PATH)
  if (host === null) return nobody('no host of that name answers here')
  if (found === null) return nobody(`the host has no route for ${PATH}`)
  const { action, from } = found
  if (action.kind === 'redirect') return nobody('it is redirected, which senders do not follow')
  const untrusted = checkCertificate(name, at, across)
  if (action.kind !== 'respond') return untrusted
  if (action.status !== 200) return nobody(`the answer is ${action.status}`)
  const mx = (names.owners.get(domain)?.get('MX') ?? []).map(({ data }) =>
    data.split(' ')[1]!.toLowerCase().replace(/\.$/, ''),
  )
  const fault = policyFault(action.body, mx)
  if (fault === undefined) return untrusted
  const message = `The policy of MTA-STS for "${domain.slice(0, -1)}" ${fault[0]} (RFC 8461 §3.2).`
  return [{ level: 'error', code: 'plan/mta-sts-policy', at: from, message, fix: fault[1] }]
}

/** Senders take the policy from a server that the world trusts, and from no other (RFC 8461 §3.3). */
function checkCertificate(name: string, at: Position, { config, facts }: Across): Problem[] {
  const host = name.slice(0, -1)
  const isBrought = (facts.certificates ?? []).some(({ holds }) => {
    return typeof holds !== 'string' && holds.names.some((own) => matches(own, host))
  })
  const isIssued = publicAuthoritiesOf(config.value.certificates).length > 0
  if (facts.dev || isIssued || isBrought || isPrivateName(name)) return []
  const message = `The policy of MTA-STS at ${host} has a certificate of the local authority, which no sender of mail trusts: they see no policy (RFC 8461 §3.3).`
  const fix = '"certificates": { "issuer": "letsencrypt" }'
  return [{ level: 'warning', code: 'plan/mta-sts-certificate', at, message, fix }]
}

/** Whether the name leads to machines that this file does not speak of. */
function isElsewhere(types: Types | undefined, drafted: Across['drafted']): boolean {
  if (types === undefined) return false
  if (types.has('CNAME')) return true
  const ours = new Set(drafted.flatMap(({ input }) => input.addresses))
  return ['A', 'AAAA'].every((family) => (types.get(family) ?? []).every(({ data }) => !ours.has(data)))
}

/** What a policy lacks: lines of `key: value`, ended by CRLF or LF (RFC 8461 §3.2). */
function policyFault(body: string, mx: readonly string[]): readonly [fault: string, fix: string] | undefined {
  const pairs = body.split(/\r?\n/).map((line) => /^\s*(\w+)\s*:\s*(.*?)\s*$/.exec(line))
  const valuesOf = (key: string): string[] => pairs.flatMap((pair) => (pair?.[1] === key ? [pair[2]!] : []))
  if (valuesOf('version')[0] !== 'STSv1') return ['has no line "version: STSv1"', '"version: STSv1\\n…"']
  const mode = valuesOf('mode')[0] ?? ''
  if (!['enforce', 'testing', 'none'].includes(mode))
    return [`has the mode "${mode}"`, '"mode: testing", enforce or none']
  const age = valuesOf('max_age')[0] ?? ''
  // RFC 8461 §3.2: at most about a year.
  if (!/^\d{1,10}$/.test(age) || Number(age) > 31_557_600)
    return [`has the max_age "${age}"; seconds up to 31557600 are wanted`, '"max_age: 604800"']
  const patterns = valuesOf('mx').map((pattern) => pattern.toLowerCase())
  if (mode === 'none') return undefined
  if (patterns.length === 0) return ['names no "mx"', `"mx: ${mx[0] ?? 'mail.example.com'}"`]
  const stray = mx.find((server) => !patterns.some((pattern) => matches(pattern, server)))
  return stray === undefined
    ? undefined
    : [`does not name ${stray}, which MX has: senders refuse to give it mail`, `"mx: ${stray}"`]
}

/** "*" stands for one label, as in certificates (RFC 8461 §4.1). */
function matches(pattern: string, server: string): boolean {
  return (
    pattern === server ||
    (pattern.startsWith('*.') && server.slice(server.indexOf('.') + 1) === pattern.slice(2))
  )
}

/** A host that serves policies, but no record that says so: nobody asks it. */
function checkUnannounced(owner: string, { hosts, names }: Across): Problem[] {
  const host = owner.startsWith('mta-sts.') ? hosts.find(({ name }) => name === owner) : undefined
  const domain = owner.slice('mta-sts.'.length)
  if (host === undefined || typesAt(`${LABEL}${domain}`, names) !== undefined) return []
  const message = `"${host.text}" can serve a policy of MTA-STS, but no record at "${LABEL}${domain.slice(0, -1)}" announces one, so nobody asks for it (RFC 8461 §3.1).`
  const fix = '"records": { "_mta-sts": { "TXT": "v=STSv1; id=20260101" } }'
  return [{ level: 'warning', code: 'plan/mta-sts-unannounced', at: host.at(), message, fix }]
}
