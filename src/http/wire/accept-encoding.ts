import { listMembers } from './list.ts'

/** Codings that we know (RFC 9110 §8.4.1, RFC 8878 §7). */
export type Coding = 'zstd' | 'br' | 'gzip'

/** In the order in which we take them. */
export const CODINGS: readonly Coding[] = ['zstd', 'br', 'gzip']

export type CodingChoice = {
  /** null: as it is */
  readonly coding: Coding | null
  readonly reason: 'accepted' | 'no coding accepted' | 'identity preferred'
}

/**
 * The coding that a client likes best; of those it likes alike, the one that compresses best for its time
 * (RFC 9110 §12.5.3).
 *
 * Who accepts nothing that we have, not even plain content, gets plain content: the field is disregarded rather than
 * answered with 406, which RFC 9110 §12.4.1 leaves open.
 *
 * @param values of Accept-Encoding, one a line
 * @param codings those that can be had
 */
export function chooseCoding(values: readonly string[], codings: readonly Coding[] = CODINGS): CodingChoice {
  const weights = readWeights(values)
  // `*` is for what is not named (RFC 9110 §12.5.3).
  const weightOf = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0
  let best: Coding | null = null
  for (const coding of codings) {
    if (weightOf(coding) > (best === null ? 0 : weightOf(best))) best = coding
  }
  if (best === null) return { coding: null, reason: 'no coding accepted' }
  // Plain content is acceptable without being named, but then nobody says that they prefer it.
  if ((weights.get('identity') ?? 0) > weightOf(best)) return { coding: null, reason: 'identity preferred' }
  return { coding: best, reason: 'accepted' }
}

/** Codings and `*` with their weights (RFC 9110 §12.4.2); a member of another form is passed over. */
function readWeights(values: readonly string[]): ReadonlyMap<string, number> {
  const weights = new Map<string, number>()
  for (const member of listMembers(values)) {
    const match = /^([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i.exec(
      member,
    )
    if (match === null) continue
    const name = match[1]!.toLowerCase()
    // RFC 9110 §8.4.1.3: x-gzip is gzip.
    weights.set(name === 'x-gzip' ? 'gzip' : name, Number(match[2] ?? 1))
  }
  return weights
}
