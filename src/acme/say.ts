import { sentence } from '#core/problem.ts'
import type { AcmeProblem } from './wire/objects.ts'

/** What happened, and what to do: for log, status and `portico certs`. */
export type Said = { readonly message: string; readonly fix: string }

/** What was shown to the authority when it refused. */
export type Refused = {
  /** host of its directory */
  readonly authority: string
  readonly names: readonly string[]
  /** owner and text of each record, or URL of each token */
  readonly shown: readonly string[]
  /** what this machine sees in their place, as a sentence; empty when it does not look */
  readonly seen: string
}

/** Say in plain words what an authority found wrong (RFC 8555 §6.7), and what to do about it. */
export function sayProblem(problem: AcmeProblem, refused: Refused): Said {
  const parts = problem.subproblems.map(({ name, problem: part }) => `${name}: ${part.detail}`)
  const detail = [problem.detail, ...parts].filter((text) => text !== '').join(' ')
  const heard = detail === '' ? `It said ${problem.type} and no more.` : `It said: ${sentence(detail)}`
  const cause = problem.subproblems.find(({ problem: part }) => Object.hasOwn(ADVICE, part.type))
  const advise = ADVICE[problem.type === 'compound' && cause ? cause.problem.type : problem.type]
  const { says, fix } = (advise ?? other)(refused)
  const message = [says, heard, refused.seen].filter((text) => text !== '').join(' ')
  return { message, fix }
}

type Advice = (refused: Refused) => { says: string; fix: string }

const other: Advice = ({ authority, names }) => ({
  says: `${authority} issued no certificate for ${names.join(', ')}.`,
  fix: 'Portico tries again by itself; "portico certs renew NAME" tries at once',
})

/** By the type of the problem, for those that a person can do something about. */
const ADVICE: Readonly<Record<string, Advice>> = {
  unauthorized: notFound,
  incorrectResponse: notFound,
  dns: ({ authority, names }) => ({
    says: `${authority} could not look up what proves that ${names.join(', ')} is yours.`,
    fix: 'let the registrar of the domain delegate it to this machine: NS records, and glue with its address; port 53 must be open for UDP and TCP. Where DNS stays elsewhere: "challenges": ["http-01"]',
  }),
  connection: ({ authority, names }) => ({
    says: `${authority} could not connect to ${names.join(', ')}.`,
    fix: 'open ports 80 and 443 to the world, and let A and AAAA of the names lead to this machine',
  }),
  tls: ({ authority, names }) => ({
    says: `${authority} connected to ${names.join(', ')}, and the handshake failed.`,
    fix: 'let port 443 reach Portico without another TLS proxy in between',
  }),
  caa: ({ authority, names }) => ({
    says: `CAA records forbid ${authority} to issue for ${names.join(', ')} (RFC 8659 §4).`,
    fix: 'add the name of the authority to "CAA" in "records", for wildcards also as "issuewild"; or remove them',
  }),
  rateLimited: ({ authority }) => ({
    says: `${authority} limits how often it may be asked.`,
    fix: 'nothing: Portico waits as long as it was told; a second authority in "issuer" would be asked meanwhile',
  }),
  rejectedIdentifier: ({ authority, names }) => ({
    says: `${authority} does not issue for names such as ${names.join(', ')}.`,
    fix: '"issuer": "local" for names that are not public',
  }),
  externalAccountRequired: ({ authority }) => ({
    says: `${authority} wants an account that is bound to one of its customers (RFC 8555 §7.3.4).`,
    fix: '"issuer": { "acme": "…", "eab": { "kid": "…", "keyFile": "./eab.key" } }',
  }),
  invalidContact: ({ authority }) => ({
    says: `${authority} does not take the contact.`,
    fix: '"contact": a mail address that exists',
  }),
  invalidProfile: ({ authority }) => ({
    says: `${authority} does not have the profile of the file.`,
    fix: 'remove "profile", or name one that it offers',
  }),
  unreachable: ({ authority }) => ({
    says: `${authority} cannot be reached.`,
    fix: 'let this machine connect to it; a root of its own goes into "root" beside "acme"',
  }),
  noChallenge: ({ authority, names }) => ({
    says: `${authority} offers no way that the file allows to show that ${names.join(', ')} is yours.`,
    fix: 'add one that it offers to "challenges" of "certificates"; wildcards need dns-01',
  }),
  secondary: ({ names }) => ({
    says: `A name server does not have the record that proves that ${names.join(', ')} is yours, so the authority was not asked to look.`,
    fix: 'remove it from "NS", or let it follow this zone',
  }),
  delegatedAway: ({ names }) => ({
    says: `The name of the record that proves that ${names.join(', ')} is yours leads elsewhere.`,
    fix: 'remove that CNAME or NS from "records", or let it lead into a domain of this file',
  }),
}

function notFound({ authority, names, shown }: Refused): { says: string; fix: string } {
  const what = shown.length === 0 ? '' : ` Portico showed ${shown.join(' and ')}.`
  return {
    says: `${authority} found no proof, or another one, that ${names.join(', ')} is yours.${what}`,
    fix: 'let the registrar delegate the domain to this machine alone, remove other _acme-challenge records, and see "portico explain _acme-challenge.NAME TXT". Where DNS stays elsewhere: "challenges": ["http-01"]',
  }
}
