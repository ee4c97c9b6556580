import type { EitherSetting, GroupSetting, Setting } from '#core/settings.ts'

/** Who is let in, as written; "none" lets everyone in where the host does not. */
export type AccessConfig = 'none' | AccessRules

export type AccessRules = {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  readonly basic?: BasicConfig
  readonly bearer?: BearerConfig
  readonly forward?: ForwardAuthConfig
}

export type BasicConfig = { readonly users: Readonly<Record<string, string>>; readonly realm?: string }

export type BearerConfig = {
  readonly issuer: string
  readonly audience: readonly string[]
  readonly jwks: string
  readonly algorithms?: readonly string[]
  readonly skew?: number
  readonly claims?: Readonly<Record<string, string>>
  readonly realm?: string
}

export type ForwardAuthConfig = {
  readonly url: string
  readonly copy?: readonly string[]
  readonly cache?: number
  readonly timeout?: number
}

const network: Setting = { type: 'text', doc: 'Address or network (CIDR).', example: '10.0.0.0/8' }

const realm: Setting = {
  type: 'text',
  doc: 'What is asked for, as browsers show it; the name of the host when absent.',
  form: { pattern: '^[ !#-\\[\\]-~]{1,100}$', say: 'up to 100 characters of ASCII without " and \\' },
  example: 'Staff',
}

const basic: GroupSetting = {
  type: 'group',
  doc: 'A name and a password, which browsers ask for (RFC 7617).',
  required: ['users'],
  example: { users: { ann: '$scrypt$ln=15,r=8,p=1$…' } },
  fields: {
    users: {
      type: 'map',
      doc: 'Users and the hashes of their passwords, as `portico hash-password` prints them.',
      keys: 'user name',
      of: { type: 'text', doc: 'Hash by scrypt.', example: '$scrypt$ln=15,r=8,p=1$…' },
      example: { ann: '$scrypt$ln=15,r=8,p=1$…' },
    },
    realm,
  },
}

/** Keys that only their owner can sign with: a set that anyone may fetch holds no secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

const bearer: GroupSetting = {
  type: 'group',
  doc: 'A token of an issuer, in Authorization (RFC 6750 §2.1, RFC 7519). With `basic` beside it, either lets in.',
  required: ['issuer', 'audience', 'jwks'],
  example: {
    issuer: 'https://id.example.com',
    audience: 'api',
    jwks: 'https://id.example.com/.well-known/jwks.json',
  },
  fields: {
    issuer: {
      type: 'text',
      doc: 'What the claim `iss` must be, to the letter.',
      form: { pattern: '^\\S+$', say: 'a URL or a name without spaces' },
      example: 'https://id.example.com',
    },
    audience: {
      type: 'list',
      doc: 'What the claim `aud` must hold; one of several.',
      of: { type: 'text', doc: 'Audience.', example: 'api' },
      single: true,
      max: 16,
      example: 'api',
    },
    jwks: {
      type: 'text',
      doc: 'Where the keys of the issuer are (RFC 7517 §5): fetched when needed, kept for ten minutes, and longer while they cannot be fetched.',
      // Who can change the keys on their way lets in whom they like.
      form: {
        pattern: '^(https://[^/?#\\s@]+|http://(127\\.[0-9.]+|\\[::1\\]|localhost)(:\\d{1,5})?)(/[^#\\s]*)?$',
        say: 'an https URL, or one of this machine',
      },
      example: 'https://id.example.com/.well-known/jwks.json',
    },
    algorithms: {
      type: 'list',
      doc: 'Algorithms of signatures that are accepted.',
      of: { type: 'choice', doc: 'Algorithm.', values: ALGORITHMS },
      single: true,
      initial: ['RS256', 'PS256', 'ES256', 'EdDSA'],
      max: ALGORITHMS.length,
    },
    skew: {
      type: 'duration',
      doc: 'How far clocks may be apart.',
      initial: 30_000,
      min: 0,
      max: 300_000,
      source: 'RFC 7519 §4.1.4: a few minutes at most',
    },
    claims: {
      type: 'map',
      doc: 'Claims that are passed on as fields of the request; what a client sends under these names is left out.',
      keys: 'field name',
      of: { type: 'text', doc: 'Claim.', example: 'sub' },
      example: { 'X-User': 'sub' },
    },
    realm,
  },
}

const forward: GroupSetting = {
  type: 'group',
  doc: 'Another service decides: asked with the method, URI, cookies and credentials; 2xx lets in, other answers go to the client.',
  required: ['url'],
  example: { url: 'http://127.0.0.1:9091/verify', copy: ['Remote-User'], cache: '10s' },
  fields: {
    url: {
      type: 'text',
      doc: 'Where it is asked: GET with X-Forwarded-Method, -Proto, -Host, -Uri and -For.',
      form: {
        pattern: '^https?://[^/?#\\s@]+(/[^#\\s]*)?$',
        say: 'a URL such as "http://127.0.0.1:9091/verify"',
      },
      example: 'http://127.0.0.1:9091/verify',
    },
    copy: {
      type: 'list',
      doc: 'Fields of its answer that are passed on with the request; what a client sends under these names is left out.',
      of: { type: 'text', doc: 'Field name.', example: 'Remote-User' },
      single: true,
      max: 32,
      example: ['Remote-User'],
    },
    cache: {
      type: 'duration',
      doc: 'How long a 2xx is remembered for the same request with the same credentials; "0s" asks each time.',
      initial: 0,
      min: 0,
      max: 3_600_000,
      example: '10s',
    },
    timeout: {
      type: 'duration',
      doc: 'Time for its answer; then the client gets 502.',
      initial: 5000,
      min: 10,
      max: 60_000,
      source: 'longer than any look-up of a session, shorter than people wait',
    },
  },
}

/** Who is let in: beside the kind of a host or a route. */
export const accessSetting: EitherSetting = {
  type: 'either',
  doc: "Who is let in. All that stands here must hold; a route with its own `access` does not take the host's.",
  example: { allow: ['10.0.0.0/8'] },
  of: [
    { type: 'choice', doc: 'Everyone, where the host lets in only some.', values: ['none'] },
    {
      type: 'group',
      doc: 'Rules.',
      fields: {
        allow: {
          type: 'list',
          doc: 'Networks that are let in, and no others. The longest prefix of `allow` and `deny` that holds the address decides.',
          of: network,
          single: true,
          max: 1000,
        },
        deny: { type: 'list', doc: 'Networks that are kept out.', of: network, single: true, max: 1000 },
        basic,
        bearer,
        forward,
      },
      elsewhere: {
        networks: 'allow',
        ip: 'allow',
        from: 'allow',
        users: 'basic',
        password: 'basic',
        jwt: 'bearer',
      },
    },
  ],
}
