import type { Request, ResponseHead, Source } from '#http/exchange.ts'
import { ask } from './ask.ts'
import type { Cache } from './cache.ts'
import type { Stored } from './stored.ts'
import { originFields } from './validate.ts'
import { parseContentRange } from './wire/content-range.ts'

/** An origin that breaks off a third time is not asked again. */
const LIMIT_RESUMES = 2

/**
 * How the rest of a response is had after the origin broke off (RFC 9111 §3.4): with a range, as long as a strong
 * validator says that it is the same version.
 *
 * @param lengthOctets of the whole; without it nobody can tell where the end is
 */
export function resumeFrom(
  cache: Cache,
  request: Request,
  stored: Stored,
  lengthOctets: number | null,
): (fromOctet: number) => Promise<Source | null> {
  const { etag } = stored.validators
  const isPossible =
    request.method === 'GET' &&
    stored.status === 200 &&
    etag !== undefined &&
    !etag.startsWith('W/') &&
    lengthOctets !== null
  let resumes = 0
  return (fromOctet) => {
    if (!isPossible || resumes++ >= LIMIT_RESUMES) return Promise.resolve(null)
    return fetchPart(cache, request, { first: fromOctet, last: lengthOctets - 1, total: lengthOctets, etag })
  }
}

/** A part of a version that is known. */
export type Part = {
  readonly first: number
  readonly last: number
  readonly total: number
  readonly etag: string
}

/** Fetch a part of the version that `etag` names; null when the origin gives another, or none. */
export function fetchPart(cache: Cache, request: Request, part: Part): Promise<Source | null> {
  const { first, last, etag } = part
  const fields = originFields(request, `Range: bytes=${first}-${last}\r\nIf-Range: ${etag}\r\n`)
  return new Promise((resolve) => {
    ask(
      cache.origin,
      { ...request, fields },
      {
        informed() {},
        answered(head, body) {
          if (body !== null && isPart(head, part)) return resolve(body)
          body?.cancel('finished')
          resolve(null)
        },
        aborted: () => resolve(null),
      },
    )
  })
}

function isPart({ status, fields }: ResponseHead, { first, last, total, etag }: Part): boolean {
  const place = parseContentRange(fields.get('content-range') ?? '')
  return (
    status === 206 &&
    fields.get('etag') === etag &&
    place?.first === first &&
    place.last === last &&
    place.total === total
  )
}
