import type { Request, ResponseHead, Source } from '#http/exchange.ts'
import { ask } from '#http/wire/ask.ts'
import type { Cache } from './cache.ts'
import { pour } from './fill.ts'
import { beginFill, judge } from './keep.ts'
import { type Stored, storedOf } from './stored.ts'
import { originRequest } from './validate.ts'
import { parseContentRange } from './wire/content-range.ts'

/** An origin that breaks off a third time is not asked again. */
const LIMIT_RESUMES = 2

/**
 * How the rest of a response is had after the origin broke off (RFC 9111 §3.4): with a range, as long as a strong
 * validator says that it is the same version.
 *
 * @param stored a whole, or a part of one
 * @param lengthOctets of its content; null when nobody knows
 */
export function resumeFrom(
  cache: Cache,
  request: Request,
  stored: Stored,
  lengthOctets: number | null,
): (fromOctet: number) => Promise<Source | null> {
  const { etag } = stored.validators
  const total = lengthOctets
  const whole = { first: 0, last: total === null ? null : total - 1, total }
  const place = stored.status === 200 ? whole : stored.place
  let resumes = 0
  return (fromOctet) => {
    const isPossible =
      request.method === 'GET' && etag !== undefined && !etag.startsWith('W/') && place !== null
    if (!isPossible || resumes++ >= LIMIT_RESUMES) return Promise.resolve(null)
    return fetchPart(cache, request, { ...place, first: place.first + fromOctet, etag }, null)
  }
}

/** A part of a version that is known; null where nobody knows how long it is. */
export type Part = {
  readonly first: number
  readonly last: number | null
  readonly total: number | null
  readonly etag: string
}

/**
 * Fetch a part of the version that `etag` names (RFC 9110 §13.1.5).
 *
 * @param key where it is kept; null: nowhere
 * @returns null when the origin gives another version, or nothing
 */
export function fetchPart(
  cache: Cache,
  request: Request,
  part: Part,
  key: string | null,
): Promise<Source | null> {
  const { first, last, etag } = part
  const { store, now, origin, counts } = cache
  const asked = originRequest(
    cache.plan,
    request,
    `Range: bytes=${first}-${last ?? ''}\r\nIf-Range: ${etag}\r\n`,
  )
  const epoch = store.epoch()
  const requestMs = now()
  counts.fetches++
  return new Promise((resolve) => {
    ask(origin, asked, {
      informed() {},
      answered(response, body) {
        if (body === null || !isPart(response, part)) {
          body?.cancel('finished')
          return resolve(null)
        }
        if (key === null) return resolve(body)
        const { meta, reason } = judge(cache, request, response, { requestMs, responseMs: now() })
        const fill = reason === 'storable' ? beginFill(cache, { key, request, response, meta, epoch }) : null
        if (fill === null) return resolve(body)
        void pour(body, fill, resumeFrom(cache, request, storedOf(fill.object), response.lengthOctets))
        resolve(fill.object.read(0, null))
      },
      aborted: () => resolve(null),
    })
  })
}

function isPart({ status, fields }: ResponseHead, { first, last, total, etag }: Part): boolean {
  const place = parseContentRange(fields.get('content-range') ?? '')
  if (status !== 206 || fields.get('etag') !== etag || place?.first !== first) return false
  // Of an unknown length the rest has to go to the end.
  return total === null ? place.last + 1 === place.total : place.last === last && place.total === total
}
