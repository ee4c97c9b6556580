import type { Request, ResponseHead } from '../exchange.ts'
import { type Coding, chooseCoding } from '../wire/accept-encoding.ts'
import { hasToken } from '../wire/list.ts'
import { isCompressible } from './compressible.ts'

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
