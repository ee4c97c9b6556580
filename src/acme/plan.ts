/** An authority that certificates are ordered from over ACME (RFC 8555). */
export type AuthorityPlan = {
  /** URL of its directory (RFC 8555 §7.1.1) */
  readonly directory: string
  /** file with the roots (PEM) that its server is trusted by, beside those of the system */
  readonly root?: string
  /** binds the account to one that the authority keeps for a customer (RFC 8555 §7.3.4); the key stays in its file */
  readonly eab?: { readonly kid: string; readonly keyFile: string }
  /** what kind of certificate, by the authority's own names */
  readonly profile?: string
  /** whom the authority may write to */
  readonly contact?: string
}

export type KeyType = 'ecdsa' | 'rsa'

/** Ways to show that a name is ours (RFC 8555 §8, RFC 8737). */
export type ChallengeType = 'dns-01' | 'dns-persist-01' | 'http-01' | 'tls-alpn-01'

export type AcmePlan = {
  /** asked in this order: the next one when the one before fails */
  readonly authorities: readonly AuthorityPlan[]
  /** the first that the authority offers is taken */
  readonly challenges: readonly ChallengeType[]
  /** of the keys of certificates: ECDSA with P-256, RSA with 2048 bits, or a certificate of each */
  readonly keyType: KeyType | 'both'
}

/** Certificates for names that hosts such as `*` answer to and no other certificate has. */
export type OnDemandPlan = {
  /** URL of a service that is asked with `?domain=NAME`: 2xx agrees */
  readonly ask: string
  /** names that are granted within an hour, and in all */
  readonly perHour: number
  readonly most: number
  /** how long a refusal is remembered */
  readonly refusedMs: number
  /** names below these, at any depth */
  readonly below: readonly string[]
}

/** Whether a name may have one: it stands below one of those of the Plan, at any depth. */
export function isOnDemand(name: string, { below }: OnDemandPlan): boolean {
  return below.some((parent) => name.endsWith(`.${parent}`))
}
