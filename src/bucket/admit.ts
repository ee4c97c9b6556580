import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { BucketPlan } from './plan.ts'

/** What somebody wants to do. */
export type Right = 'read' | 'write' | 'list'

/** Who asks, as far as it matters here. */
export type Asker = {
  /** what a key, or a URL that was signed with one, is good for; null without either */
  readonly grant: Grant | null
  /** a program of this machine, not a proxy for another one */
  readonly isLocal: boolean
  /** a browser, on behalf of a page of another site (Fetch Metadata) */
  readonly isCrossSite: boolean
}

export type Grant = {
  readonly keyId: string
  readonly mayRead: boolean
  readonly mayWrite: boolean
  /** how keys of objects begin, or the only one */
  readonly prefix: string
  readonly isExact: boolean
}

/**
 * Decide whether somebody may do something with an object.
 *
 * @param key of the object, or how those begin that are listed
 * @returns the reason when they may, for log and explain
 */
export function admit(plan: BucketPlan, right: Right, key: string, asker: Asker): string | Refusal {
  const { grant } = asker
  if (grant !== null) {
    const isGood =
      right === 'read' ? grant.mayRead : right === 'write' ? grant.mayWrite : grant.mayRead || grant.mayWrite
    const covers = grant.isExact ? key === grant.prefix : key.startsWith(grant.prefix)
    if (isGood && covers) return `key ${grant.keyId}`
    if (!isOpenTo(plan, right)) return refuse(403, `the key "${grant.keyId}" is not good for this`)
  }
  if (right === 'read' || (right === 'list' && plan.listing)) {
    return plan.readers === 'anyone' ? 'anyone may read' : refuse(401, 'reading needs a key')
  }
  if (plan.writers === 'anyone') return 'anyone may write'
  if (plan.writers === 'keys')
    return refuse(401, 'this needs a key: Authorization: Bearer ID.SECRET, or a signed URL')
  // A page elsewhere must not use the place or the password of who looks at it.
  if (asker.isCrossSite) return refuse(403, 'a page of another site asked for this')
  if (plan.writers === 'admitted') return 'let in by "access"'
  if (asker.isLocal) return 'a program of this machine'
  return refuse(
    403,
    'uploads come from this machine only, unless the file gives the bucket "keys" or the host "access"',
  )
}

function isOpenTo({ readers, writers, listing }: BucketPlan, right: Right): boolean {
  if (right === 'read') return readers === 'anyone'
  if (right === 'list' && listing) return readers === 'anyone'
  return writers === 'anyone'
}
