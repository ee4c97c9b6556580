import type { Request, ResponseHead } from '../exchange.ts'
import { hasToken, listMembers } from '../wire/list.ts'
import { isCompressible } from './compressible.ts'

/** Codings that we can make (RFC 9110 §8.4.1, RFC 8878 §7), in the order in which we take them. */
export type Coding = 'zstd' | 'br' | 'gzip'

/** Whether content is compressed, and why. */
export type Encoding = {
  /** null: as it is */
  readonly coding: Coding | null
  /** another Accept-Encoding might have another answer */
  readonly varies: boolean
  readonly reason: EncodeReason
}

export type EncodeReason =
  | 'accepted'
  | 'has a coding already'
  | 'no-transform'
  | 'media type'
  | 'no content'
  | 'part of the content'
  | 'too short'
  | 'no coding accepted'
  | 'identity preferred'

/** 1 KiB: below it the fields of compression and the time cost more than one packet saves. */
const LEAST_OCTETS = 1024

/**
 * Decide whether the content of a response is compressed, and how (RFC 9110 §12.5.3).
 *
 * @example encode(request, head) // { coding: 'br', varies: true, reason: 'accepted' }
 */
export function encode(
  { method, fields: asked }: Pick<Request, 'method' | 'fields'>,
  head: ResponseHead,
): Encoding {
  const { status, fields, lengthOctets } = head
  if (fields.get('content-encoding') !== undefined) return never('has a coding already')
  // RFC 9110 §7.7: who made the message does not want its content changed.
  if (hasToken(fields, 'cache-control', 'no-transform') || hasToken(asked, 'cache-control', 'no-transform')) {
    return never('no-transform')
  }
  // RFC 9110 §15.4.5: 304 says Vary as 200 would, which may have been compressed.
  if (status === 304) return varying('no content')
  if (status === 204 || status === 205) return never('no content')
  if (!isCompressible(fields.get('content-type'))) return never('media type')
  if (status === 206 || fields.get('content-range') !== undefined) return varying('part of the content')
  const choice = chooseCoding(asked.all('accept-encoding'))
  if (lengthOctets !== null && lengthOctets < LEAST_OCTETS) return never('too short')
  if (method === 'HEAD') return varying('no content')
  return choice.coding === null ? varying(choice.reason) : { ...choice, varies: true }
}

/** No request would have it compressed. */
function never(reason: EncodeReason): Encoding {
  return { coding: null, varies: false, reason }
}

/** This one gets it as it is. */
function varying(reason: EncodeReason): Encoding {
  return { coding: null, varies: true, reason }
}

type Choice = { readonly coding: Coding | null; readonly reason: EncodeReason }

/**
 * The coding that a client likes best; of those it likes alike, the one that compresses best for its time.
 *
 * Who accepts nothing that we have, not even plain content, gets plain content: the field is disregarded rather than
 * answered with 406, which RFC 9110 §12.4.1 leaves open.
 *
 * @param values of Accept-Encoding, one a line
 */
export function chooseCoding(values: readonly string[]): Choice {
  const weights = readWeights(values)
  // `*` is for what is not named (RFC 9110 §12.5.3).
  const weightOf = (coding: string): number => weights.get(coding) ?? weights.get('*') ?? 0
  let best: Coding | null = null
  for (const coding of CODINGS) {
    if (weightOf(coding) > (best === null ? 0 : weightOf(best))) best = coding
  }
  if (best === null) return { coding: null, reason: 'no coding accepted' }
  // Plain content is acceptable without being named, but then nobody says that they prefer it.
  if ((weights.get('identity') ?? 0) > weightOf(best)) return { coding: null, reason: 'identity preferred' }
  return { coding: best, reason: 'accepted' }
}

const CODINGS: readonly Coding[] = ['zstd', 'br', 'gzip']

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
