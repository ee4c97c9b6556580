import type { BucketConfig } from './config.ts'

/** What a route to a bucket does; every option is said. */
export type BucketPlan = {
  readonly kind: 'bucket'
  /** as written: relative to the folder of the file */
  readonly root: string
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
}

/** Who may change a bucket; `admitted` is whoever the route's `access` lets in. */
export type Writers = 'local' | 'admitted' | 'keys' | 'anyone'

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
    readers: options.read ?? 'anyone',
    writers: options.write ?? byDefault,
    keys,
    listing: options.listing ?? false,
    page: options.page ?? false,
    versions: options.versions ?? false,
    quotaOctets: options.quota ?? null,
    maxOctets: options.maxSize ?? GIGABYTES_16,
    types: options.types ?? null,
    mismatch: options.mismatch ?? 'detected',
    partsLimit: options.parts ?? 1000,
    fieldsOctets: options.fields ?? 2 ** 20,
    incompleteMs: options.incomplete ?? DAY_MS,
    sync: options.sync ?? true,
  }
}
