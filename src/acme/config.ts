import type { GroupSetting, ListSetting, Setting } from '#core/settings.ts'
import type { AuthorityPlan, ChallengeType } from './plan.ts'

/** What the file says of an authority, after reading. */
export type AuthorityConfig = {
  readonly acme: string
  readonly root?: string
  readonly eab?: { readonly kid: string; readonly keyFile: string }
  readonly profile?: string
  readonly contact?: string
}

/** Who issues: one, or several in the order in which they are asked. */
export type IssuerConfig = NamedIssuer | AuthorityConfig | readonly (NamedIssuer | AuthorityConfig)[]

export type NamedIssuer = 'local' | 'letsencrypt' | 'letsencrypt-staging'

/** Directories of the authorities that have a name of their own here. */
export const DIRECTORIES: Readonly<Record<Exclude<NamedIssuer, 'local'>, string>> = {
  letsencrypt: 'https://acme-v02.api.letsencrypt.org/directory',
  'letsencrypt-staging': 'https://acme-staging-v02.api.letsencrypt.org/directory',
}

const named: Setting = {
  type: 'choice',
  doc: 'A known issuer.',
  values: ['local', 'letsencrypt', 'letsencrypt-staging'],
  initial: 'local',
}

const authority: GroupSetting = {
  type: 'group',
  doc: 'An authority that speaks ACME.',
  required: ['acme'],
  fields: {
    acme: {
      type: 'text',
      doc: 'URL of its directory (RFC 8555 §7.1.1).',
      form: { pattern: '^https://[^\\s]+$', say: 'a URL with https' },
      example: 'https://acme.example/directory',
    },
    root: {
      type: 'text',
      path: 'file',
      doc: 'File with the root certificates (PEM) that its server is trusted by, beside those of the system.',
      example: './authority.pem',
    },
    eab: {
      type: 'group',
      doc: 'Binds the account to one that the authority keeps for you (RFC 8555 §7.3.4).',
      required: ['kid', 'keyFile'],
      fields: {
        kid: { type: 'text', doc: 'Name of the key, as the authority gave it.', example: 'kid-1' },
        keyFile: {
          type: 'text',
          path: 'file',
          doc: 'File with the key, in base64url as the authority gave it: a secret has no place in this file.',
          example: './eab.key',
        },
      },
    },
    profile: {
      type: 'text',
      doc: 'Kind of certificate, by a name that the authority offers.',
      example: 'shortlived',
    },
    contact: {
      type: 'text',
      doc: 'Mail address for this authority; the contact of the file when not given.',
      form: { pattern: '^[^@\\s]+@[^@\\s]+$', say: 'a mail address' },
      example: 'admin@example.com',
    },
  },
}

const severalIssuers: ListSetting = {
  type: 'list',
  doc: 'Several: the next is asked when the one before fails.',
  of: { type: 'either', doc: 'An issuer.', of: [named, authority] },
  max: 8,
}

/** Who issues. */
export const issuerSetting: Setting = {
  type: 'either',
  doc: 'Who issues: the local authority kept in state, or authorities that are asked over ACME (RFC 8555).',
  example: 'letsencrypt',
  of: [named, authority, severalIssuers],
}

/** How names are proved. */
export const challengesSetting: Setting = {
  type: 'list',
  doc: 'How authorities may look whether a name is yours; the first that they offer is taken. A wildcard needs dns-01 or dns-persist-01.',
  of: {
    type: 'choice',
    doc: 'A challenge (RFC 8555 §8, RFC 8737).',
    values: ['dns-01', 'dns-persist-01', 'http-01', 'tls-alpn-01'],
  },
  initial: ['dns-01', 'http-01', 'tls-alpn-01'],
  single: true,
  max: 4,
}

/** What the file says of certificates that are ordered when a client asks. */
export type OnDemandConfig = {
  readonly ask: string
  readonly perHour?: number
  readonly most?: number
  readonly refused?: number
}

/** Certificates when a client asks for a name. */
export const onDemandSetting: GroupSetting = {
  type: 'group',
  doc: 'Certificates for names that "*" answers to and no wildcard covers, ordered when a client first asks for them.',
  required: ['ask'],
  fields: {
    ask: {
      type: 'text',
      doc: 'Service that is asked first, with the name as ?domain=: a status of 2xx agrees, any other refuses.',
      form: { pattern: '^https?://[^\\s]+$', say: 'a URL with http or https' },
      example: 'http://127.0.0.1:8081/may-have-certificate',
    },
    perHour: {
      type: 'integer',
      doc: 'Most names that get one within an hour.',
      unit: 'names',
      initial: 10,
      min: 1,
      max: 10_000,
      source: 'Let’s Encrypt issues 50 a week for a registered domain',
    },
    most: {
      type: 'integer',
      doc: 'Most names that get one at all.',
      unit: 'names',
      initial: 1000,
      min: 1,
      max: 100_000,
    },
    refused: {
      type: 'duration',
      doc: 'How long a refusal is remembered, without asking again.',
      initial: 600_000,
      min: 1000,
      max: 86_400_000,
    },
  },
}

/** The authorities of the file in their order; none when certificates are local. */
export function authoritiesOf(issuer: IssuerConfig, contact: string | undefined): AuthorityPlan[] {
  const issuers = isSeveral(issuer) ? issuer : [issuer]
  return issuers.flatMap((each): AuthorityPlan[] => {
    if (each === 'local') return []
    const whom = contact === undefined ? {} : { contact }
    if (typeof each === 'string') return [{ directory: DIRECTORIES[each], ...whom }]
    const { acme, ...rest } = each
    return [{ directory: acme, ...whom, ...rest }]
  })
}

/** Challenges that can be answered: those over DNS need our name server. */
export function challengesOf(written: readonly ChallengeType[], hasDns: boolean): ChallengeType[] {
  return written.filter((type) => hasDns || !type.startsWith('dns-'))
}

function isSeveral(issuer: IssuerConfig): issuer is Extract<IssuerConfig, readonly unknown[]> {
  return Array.isArray(issuer)
}
