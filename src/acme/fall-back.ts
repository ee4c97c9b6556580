import type { ChallengeType } from './plan.ts'
import type { AcmeProblem } from './wire/objects.ts'

/** Asked for in place of what an authority refused: single names for a wildcard, other proofs for those over DNS. */
export type FallBack = {
  /** the names that it stands in for; others in the file end it */
  readonly of: readonly string[]
  readonly without: 'wildcard' | 'dns'
  /** milliseconds since 1970 */
  readonly at: number
  readonly message: string
  readonly fix: string
}

/** What a certificate is ordered with. */
export type Wish = { readonly names: readonly string[]; readonly challenges: readonly ChallengeType[] }

/** Of an authority that may issue single names where it does not issue wildcards. */
const AGAINST_WILDCARDS: ReadonlySet<string> = new Set(['caa', 'rejectedIdentifier', 'noChallenge'])
/** Of proofs over DNS that nobody found: the domain may be delegated elsewhere. */
const AGAINST_DNS: ReadonlySet<string> = new Set([
  'unauthorized',
  'dns',
  'incorrectResponse',
  'delegatedAway',
  'secondary',
])

/**
 * Decide what may help after a refusal.
 *
 * @param single the names without wildcards; empty: they do not replace the wildcard
 * @returns null: what was wanted is tried again
 */
export function chooseFallBack(
  { type, subproblems }: AcmeProblem,
  { names, challenges }: Wish,
  single: readonly string[],
): FallBack['without'] | null {
  const cause = type === 'compound' ? (subproblems[0]?.problem.type ?? type) : type
  const isWild = names.some((name) => name.startsWith('*.'))
  if (isWild && single.length === 0) return null
  if (isWild && AGAINST_WILDCARDS.has(cause)) return 'wildcard'
  const isMixed = challenges.some(isOverDns) && !challenges.every(isOverDns)
  return isMixed && AGAINST_DNS.has(cause) ? 'dns' : null
}

/** What is ordered, with the fall-back that stands. */
export function wishWith(fallBack: FallBack | null, wish: Wish, single: readonly string[]): Wish {
  if (fallBack === null) return wish
  const isWild = wish.names.some((name) => name.startsWith('*.'))
  const challenges =
    fallBack.without === 'dns' ? wish.challenges.filter((type) => !isOverDns(type)) : wish.challenges
  return { names: isWild ? single : wish.names, challenges }
}

/** For people. */
export function sayFallBack({ without, message }: FallBack): string {
  const what =
    without === 'wildcard'
      ? 'The wildcard was refused, so there are single names:'
      : 'What is shown over DNS was not found, so names are proved in other ways:'
  return `${what} ${message}`
}

function isOverDns(type: ChallengeType): boolean {
  return type.startsWith('dns-')
}
