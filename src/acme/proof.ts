import type { ChallengeType } from './plan.ts'
import { type AccountKey, dnsDigest, keyAuthorization } from './wire/jws.ts'
import type { Challenge } from './wire/objects.ts'

/** What shows the authority that a name is ours. */
export type Proof =
  /** a TXT record; the owner absolute */
  | { readonly type: 'dns-01' | 'dns-persist-01'; readonly owner: string; readonly text: string }
  /** content at /.well-known/acme-challenge/TOKEN (RFC 8555 §8.3) */
  | { readonly type: 'http-01'; readonly name: string; readonly token: string; readonly content: string }
  /** a certificate for acme-tls/1 with this digest, hex (RFC 8737 §3) */
  | { readonly type: 'tls-alpn-01'; readonly name: string; readonly digest: string }

export type Prover = { readonly key: AccountKey; readonly kid: string }

/**
 * Make the proof that a challenge asks for.
 *
 * @param name without `*.`
 */
export async function prove(
  challenge: Challenge,
  name: string,
  { key, kid }: Prover,
  isWildcard: boolean,
): Promise<Proof> {
  const type = challenge.type as ChallengeType
  if (type === 'dns-persist-01') {
    const [issuer = ''] = challenge.issuerNames
    const text = `${issuer}; accounturi=${kid}${isWildcard ? '; policy=wildcard' : ''}`
    return { type, owner: `_validation-persist.${name}.`, text }
  }
  const content = await keyAuthorization(challenge.token, key)
  if (type === 'http-01') return { type, name, token: challenge.token, content }
  const digest = dnsDigest(content)
  if (type === 'dns-01') return { type, owner: `_acme-challenge.${name}.`, text: digest }
  return { type, name, digest: Buffer.from(digest, 'base64url').toString('hex') }
}

/** A proof in words. */
export function sayProof(proof: Proof): string {
  switch (proof.type) {
    case 'http-01':
      return `http://${proof.name}/.well-known/acme-challenge/${proof.token}`
    case 'tls-alpn-01':
      return `a certificate for ${proof.name} over acme-tls/1`
    default:
      return `${proof.owner} TXT "${proof.text}"`
  }
}
