import { type FallBack, sayFallBack } from './fall-back.ts'
import type { ChallengeType, KeyType } from './plan.ts'
import { type CertificateRecord, type Kept, sameNames } from './record.ts'
import type { Failure } from './renew.ts'

/** A certificate that authorities are asked for. */
export type Wanted = {
  readonly id: string
  readonly names: readonly string[]
  readonly keyType: KeyType
  /** in place of `names` where a wildcard is refused; none: nothing replaces it */
  readonly single?: readonly string[]
  /** where other challenges suit it than those of the Plan */
  readonly challenges?: readonly ChallengeType[]
}

/** How a certificate is doing; times in milliseconds since 1970. */
export type KeptState = Pick<Wanted, 'id' | 'names' | 'keyType'> & {
  /** who signed the one in use; null: there is none yet */
  readonly issuer: string | null
  readonly notAfter: number | null
  /** from its order to it */
  readonly tookMs: number | null
  readonly doing: 'ordering' | 'waiting'
  /** when it is ordered, or renewed, next */
  readonly nextAt: number | null
  readonly failure: Pick<Failure, 'at' | 'message' | 'fix'> | null
}

type Keeping = Pick<KeptState, 'doing' | 'nextAt'> & {
  readonly wanted: Wanted
  readonly record: CertificateRecord
}

/** Say how a certificate is doing. */
export function stateOf({ wanted, record, doing, nextAt }: Keeping): KeptState {
  const { kept, journal } = record
  const fallBack = standingFallBack(wanted, record)
  const failures = Object.values(journal.failures).sort((a, b) => b.at - a.at)
  return {
    id: wanted.id,
    names: fallBack === null ? wanted.names : (kept?.names ?? wanted.names),
    keyType: wanted.keyType,
    issuer: kept === null ? null : issuerOf(kept),
    notAfter: kept?.notAfter ?? null,
    tookMs: journal.tookMs,
    doing,
    nextAt,
    failure: failures[0] ?? (fallBack && { ...fallBack, message: sayFallBack(fallBack) }),
  }
}

/** What stands in for what is wanted, since that was refused; none where other names are wanted now. */
export function standingFallBack(
  { names }: Wanted,
  { journal: { fallBack } }: CertificateRecord,
): FallBack | null {
  return fallBack !== null && sameNames(fallBack.of, names) ? fallBack : null
}

/** The common name of who signed, or whatever it is called. */
export function issuerOf({ leaf }: Kept): string {
  return /^CN=(.+)$/m.exec(leaf.issuer)?.[1] ?? leaf.issuer.replaceAll('\n', ', ')
}
