import type { S3StorePlan } from '#bucket/plan.ts'

/** What workers ask the writer of a bucket for, and what it answers: plain values, for they cross threads. */
export type BucketRequest = {
  /** absolute path of the folder */
  readonly root: string
  readonly rules: BucketRules
  readonly change: Change
}

export type BucketRules = {
  readonly versions: boolean
  readonly quotaOctets: number | null
  readonly sync: boolean
  /** an upload that was not touched for so long is forgotten */
  readonly incompleteMs: number
  /** null: contents are in the folder */
  readonly store: S3StorePlan | null
}

export type Change =
  | { readonly kind: 'open' }
  /** all of them or none */
  | { readonly kind: 'put'; readonly objects: readonly PutObject[]; readonly conditions: Conditions }
  | {
      readonly kind: 'copy'
      readonly from: { readonly key: string; readonly version: number | null }
      readonly to: string
      /** null: as the source */
      readonly about: About | null
      readonly type: string | null
      readonly conditions: Conditions
      readonly sourceConditions: Conditions
    }
  | {
      readonly kind: 'delete'
      readonly key: string
      readonly version: number | null
      readonly conditions: Conditions
    }
  /** Contents are sent to the store now: what has them stays until they are let go. */
  | { readonly kind: 'hold' | 'let go'; readonly hashes: readonly string[]; readonly worker: number }
  | { readonly kind: 'lock'; readonly id: string; readonly worker: number }
  | { readonly kind: 'unlock'; readonly id: string }

/** Field lines that state preconditions (RFC 9110 §13.1). */
export type Conditions = readonly (readonly [name: string, value: string])[]

export type PutObject = {
  readonly key: string
  /** path of the finished file, which becomes the bucket's */
  readonly draft: string
  readonly sha256: string
  readonly octets: number
  readonly type: string
  readonly declared: string | null
  readonly detected: string | null
  readonly about: About
  /** what happens to another object with the key; `rename` gives the new one another key */
  readonly taken: 'replace' | 'rename'
}

/** What is kept beside an object, and said with it. */
export type About = {
  /** the name it was uploaded by */
  readonly name: string | null
  /** fields of its form */
  readonly fields: unknown
  /** field lines of its responses, such as Cache-Control */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** An object as it is stored. */
export type Stored = {
  readonly key: string
  /** grows with time; unique in its key */
  readonly version: number
  readonly isLatest: boolean
  /** hexadecimal; empty for the mark of a deletion */
  readonly sha256: string
  readonly octets: number
  readonly type: string
  readonly declared: string | null
  readonly detected: string | null
  readonly about: About
  /** milliseconds since 1970 */
  readonly createdMs: number
}

export type Outcome =
  | { readonly kind: 'done' }
  /** `isNew`: nothing had the first key */
  | { readonly kind: 'stored'; readonly objects: readonly Stored[]; readonly isNew: boolean }
  | { readonly kind: 'deleted'; readonly was: Stored | null; readonly mark: Stored | null }
  | { readonly kind: 'precondition failed' }
  | { readonly kind: 'not found' }
  | { readonly kind: 'quota'; readonly quotaOctets: number }
  | { readonly kind: 'locked' }

/** The one writer, wherever it runs. */
export type Apply = (request: BucketRequest) => Promise<Outcome>

/**
 * The entity tag of an object (RFC 9110 §8.8.3): strong, for it is made of its octets.
 *
 * It ends as those of uploads in parts do: programs for S3 take any other for an MD5 digest, and compare it.
 */
export function etagOf({ sha256 }: Pick<Stored, 'sha256'>): string {
  return `"${sha256}-1"`
}

/** How a version is written in a URL. */
export function printVersion(version: number): string {
  return version.toString(36)
}

/** NaN when it is none. */
export function parseVersion(text: string): number {
  return /^[0-9a-z]{1,10}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN
}
