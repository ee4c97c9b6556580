import type { BucketConfig, StoreConfig } from './config.ts'

/** What a route to a bucket does; every option is said. */
export type BucketPlan = {
  readonly kind: 'bucket'
  /** as written: relative to the folder of the file */
  readonly root: string
  /** null: the folder has the contents, too */
  readonly store: S3StorePlan | null
  readonly readers: 'anyone' | 'keys'
  readonly writers: Writers
  readonly keys: readonly KeyPlan[]
  readonly listing: boolean
  readonly page: boolean
  readonly versions: boolean
  /** null: as much as the disk */
  readonly quotaOctets: number | null
  readonly maxOctets: number
  /** null: all */
  readonly types: readonly string[] | null
  readonly mismatch: 'detected' | 'declared' | 'refuse'
  readonly partsLimit: number
  readonly fieldsOctets: number
  readonly incompleteMs: number
  readonly sync: boolean
  /** uploads as the IETF drafts them are taken */
  readonly resumable: boolean
}

/** Who may change a bucket; `admitted` is whoever the route's `access` lets in. */
export type Writers = 'local' | 'admitted' | 'keys' | 'anyone'

/** A bucket of an S3 service. */
export type S3StorePlan = {
  readonly url: string
  readonly keyId: string
  /** as written; absolute when it is asked for */
  readonly secretFile: string
  readonly region: string
}

/** What one request may send to an S3 service. */
const LIMIT_S3_OCTETS = 5 * 2 ** 30

/** What the file of a secret is like; the secret itself is nobody's to know. */
export type SecretFact = {
  /** as written */
  readonly file: string
  readonly fault: 'missing' | 'not readable' | 'short' | null
}

/** A secret is no shorter. */
export const LEAST_SECRET = 16

/** What is wrong with the file of a secret, behind its name. */
export const SECRET_FAULTS: Readonly<Record<NonNullable<SecretFact['fault']>, string>> = {
  missing: 'does not exist',
  'not readable': 'cannot be read',
  short: 'begins with a line of less than 16 characters',
}

/** The secret in the text of its file: the first line. */
export function secretIn(text: string): string {
  return text.split(/\r?\n/, 1)[0]!.trim()
}

/** A key; its secret is in a file. */
export type KeyPlan = {
  readonly id: string
  readonly secretFile: string
  readonly mayRead: boolean
  readonly mayWrite: boolean
  readonly prefix: string
}

const GIGABYTES_16 = 2 ** 34
const DAY_MS = 86_400_000

/**
 * Fill in what was not written.
 *
 * @param isGuarded the route has `access`
 */
export function planBucket(written: BucketConfig, isGuarded: boolean): BucketPlan {
  const options = typeof written === 'string' ? { root: written } : written
  const keys = Object.entries(options.keys ?? {}).map(([id, { secret, allow = 'both', prefix = '' }]) => ({
    id,
    secretFile: secret,
    mayRead: allow !== 'write',
    mayWrite: allow !== 'read',
    prefix,
  }))
  const byDefault = keys.length > 0 ? 'keys' : isGuarded ? 'admitted' : 'local'
  return {
    kind: 'bucket',
    root: options.root,
    store: options.store === undefined ? null : planStore(options.store),
    readers: options.read ?? 'anyone',
    writers: options.write ?? byDefault,
    keys,
    listing: options.listing ?? false,
    page: options.page ?? false,
    versions: options.versions ?? false,
    quotaOctets: options.quota ?? null,
    maxOctets: Math.min(
      options.maxSize ?? GIGABYTES_16,
      options.store === undefined ? Number.POSITIVE_INFINITY : LIMIT_S3_OCTETS,
    ),
    types: options.types ?? null,
    mismatch: options.mismatch ?? 'detected',
    partsLimit: options.parts ?? 1000,
    fieldsOctets: options.fields ?? 2 ** 20,
    incompleteMs: options.incomplete ?? DAY_MS,
    sync: options.sync ?? true,
    resumable: options.resumable ?? false,
  }
}

function planStore({ s3, key, secret, region = 'us-east-1' }: StoreConfig): S3StorePlan {
  return { url: s3, keyId: key, secretFile: secret, region }
}
