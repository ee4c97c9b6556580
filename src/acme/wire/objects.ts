import { isMembers, listOf, type Members, textOf, textsOf, timeOf } from './json.ts'

/** What an authority offers, and where (RFC 8555 §7.1.1). */
export type Directory = {
  readonly newNonce: string
  readonly newAccount: string
  readonly newOrder: string
  readonly keyChange: string | undefined
  /** RFC 9773 §4.1 */
  readonly renewalInfo: string | undefined
  readonly termsOfService: string | undefined
  readonly needsBinding: boolean
  /** names of profiles with a sentence each */
  readonly profiles: Readonly<Record<string, string>>
}

/** RFC 8555 §7.1.3 */
export type Order = {
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid'
  readonly names: readonly string[]
  readonly authorizations: readonly string[]
  readonly finalize: string
  readonly certificate: string | undefined
  readonly problem: AcmeProblem | undefined
}

/** RFC 8555 §7.1.4 */
export type Authorization = {
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked'
  /** without `*.` */
  readonly name: string
  readonly isWildcard: boolean
  readonly challenges: readonly Challenge[]
}

/** RFC 8555 §7.1.5, §8 */
export type Challenge = {
  readonly type: string
  readonly url: string
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid'
  /** empty for dns-persist-01, which has none */
  readonly token: string
  /** of dns-persist-01: names of the authority, any of which may stand in the record */
  readonly issuerNames: readonly string[]
  readonly problem: AcmeProblem | undefined
}

/** What an authority says went wrong (RFC 8555 §6.7). */
export type AcmeProblem = {
  /** without `urn:ietf:params:acme:error:`; `about:blank` when it said none */
  readonly type: string
  readonly detail: string
  readonly subproblems: readonly { readonly name: string; readonly problem: AcmeProblem }[]
}

/** When to renew (RFC 9773 §4.2), in milliseconds since 1970. */
export type RenewalWindow = {
  readonly start: number
  readonly end: number
  readonly explanation: string | undefined
}

/** @returns what is wrong with the answer, as a sentence, when it is no directory */
export function readDirectory(value: unknown): Directory | string {
  if (!isMembers(value)) return 'The directory is no JSON object.'
  const [newNonce, newAccount, newOrder] = ['newNonce', 'newAccount', 'newOrder'].map((name) =>
    textOf(value, name),
  )
  if (newNonce === undefined || newAccount === undefined || newOrder === undefined) {
    return 'The directory has no newNonce, newAccount and newOrder (RFC 8555 §7.1.1).'
  }
  const meta = isMembers(value['meta']) ? value['meta'] : {}
  const profiles = isMembers(meta['profiles']) ? Object.entries(meta['profiles']) : []
  return {
    newNonce,
    newAccount,
    newOrder,
    keyChange: textOf(value, 'keyChange'),
    renewalInfo: textOf(value, 'renewalInfo'),
    termsOfService: textOf(meta, 'termsOfService'),
    needsBinding: meta['externalAccountRequired'] === true,
    profiles: Object.fromEntries(profiles.map(([name, doc]) => [name, String(doc)])),
  }
}

const ORDER_STATUS = ['pending', 'ready', 'processing', 'valid', 'invalid'] as const
const AUTHORIZATION_STATUS = ['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked'] as const
const CHALLENGE_STATUS = ['pending', 'processing', 'valid', 'invalid'] as const

/** @returns a sentence when it is no order */
export function readOrder(value: unknown): Order | string {
  if (!isMembers(value)) return 'The order is no JSON object.'
  const status = statusOf(value, ORDER_STATUS)
  const finalize = textOf(value, 'finalize')
  if (status === undefined || finalize === undefined)
    return 'The order lacks status or finalize (RFC 8555 §7.1.3).'
  const names = listOf(value, 'identifiers')
    .filter(isMembers)
    .map((identifier) => textOf(identifier, 'value') ?? '')
  return {
    status,
    names,
    authorizations: textsOf(value, 'authorizations'),
    finalize,
    certificate: textOf(value, 'certificate'),
    problem: readProblem(value['error']),
  }
}

/** @returns a sentence when it is no authorization */
export function readAuthorization(value: unknown): Authorization | string {
  if (!isMembers(value) || !isMembers(value['identifier'])) return 'The authorization has no identifier.'
  const status = statusOf(value, AUTHORIZATION_STATUS)
  const name = textOf(value['identifier'], 'value')
  if (status === undefined || name === undefined)
    return 'The authorization lacks status or name (RFC 8555 §7.1.4).'
  const challenges = listOf(value, 'challenges').filter(isMembers).map(readChallenge)
  return {
    status,
    name,
    isWildcard: value['wildcard'] === true,
    challenges: challenges.filter((challenge) => challenge !== undefined),
  }
}

function readChallenge(value: Members): Challenge | undefined {
  const [type, url] = [textOf(value, 'type'), textOf(value, 'url')]
  const status = statusOf(value, CHALLENGE_STATUS)
  const token = textOf(value, 'token') ?? ''
  // RFC 8555 §8.1: base64url; anything else would be written into a path or a record.
  if (type === undefined || url === undefined || status === undefined || !/^[\w-]*$/.test(token))
    return undefined
  const issuerNames = textsOf(value, 'issuer-domain-names')
  return { type, url, status, token, issuerNames, problem: readProblem(value['error']) }
}

const PROBLEMS_LIMIT = 100
const DETAIL_LIMIT = 1000
const PREFIX = 'urn:ietf:params:acme:error:'

/** A problem document (RFC 9457), its subproblems (RFC 8555 §6.7.1) with it; undefined where there is none. */
export function readProblem(value: unknown): AcmeProblem | undefined {
  if (!isMembers(value)) return undefined
  const type = textOf(value, 'type') ?? 'about:blank'
  const parts = listOf(value, 'subproblems').filter(isMembers).slice(0, PROBLEMS_LIMIT)
  return {
    type: type.startsWith(PREFIX) ? type.slice(PREFIX.length) : type,
    detail: (textOf(value, 'detail') ?? '').slice(0, DETAIL_LIMIT),
    subproblems: parts.map((part) => {
      const identifier = isMembers(part['identifier']) ? part['identifier'] : {}
      const { subproblems: _none, ...flat } = part
      return { name: textOf(identifier, 'value') ?? '', problem: readProblem(flat)! }
    }),
  }
}

/** A window for renewal (RFC 9773 §4.2); undefined where it cannot be used. */
export function readWindow(value: unknown): RenewalWindow | undefined {
  const window =
    isMembers(value) && isMembers(value['suggestedWindow']) ? value['suggestedWindow'] : undefined
  if (window === undefined || !isMembers(value)) return undefined
  const [start, end] = [timeOf(window, 'start'), timeOf(window, 'end')]
  if (start === undefined || end === undefined || end <= start) return undefined
  return { start, end, explanation: textOf(value, 'explanationURL') }
}

function statusOf<Status extends string>(value: Members, known: readonly Status[]): Status | undefined {
  return known.find((status) => status === value['status'])
}
