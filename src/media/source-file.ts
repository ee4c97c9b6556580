import { createHash } from 'node:crypto'
import type { ExchangeNote, Handler, Request, ResponseHead, Source } from '#http/exchange.ts'
import { ask } from '#http/wire/ask.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import type { MediaFile, OctetRange } from '#media/movie/movie.ts'
import { MediaFault } from './wire/fault.ts'

/** What is known of a file that is read through the handler of a route. */
export type SourceFile = MediaFile & {
  /** as the response has them; undefined when it does not */
  readonly etag: string | undefined
  readonly lastModified: string | undefined
  /** of the file itself */
  readonly contentType: string
}

/** Where a film is asked for: the handler that the route has below streaming, and whose request it is for. */
export type Below = { readonly handler: Handler; readonly request: Request }

/** Enough to hold the index of a short film, and little where it lies at the end. */
const FIRST_OCTETS = 65_536
/** A service that answers no ranges gives the whole: so much of it is passed over, no more. */
const LIMIT_SKIPPED_OCTETS = 64 * 2 ** 20

/**
 * Open a file by asking for its first octets: its length, and what its version is known by.
 *
 * @throws {MediaFault} 404 when there is none; what the origin says when it cannot be had
 */
export async function openSource(below: Below, path: string): Promise<SourceFile> {
  const { head, body } = await request(below, path, { from: 0, octets: FIRST_OCTETS })
  const total = totalOf(head)
  if (total === null) {
    body?.cancel('finished')
    throw new MediaFault('The service does not say how long the film is, and it is read by ranges', 502)
  }
  const first = await take(body, Math.min(FIRST_OCTETS, total))
  const tag = versionOf(head, total)
  const etag = head.fields.get('etag')
  return {
    octets: total,
    tag,
    etag,
    lastModified: head.fields.get('last-modified'),
    contentType: head.fields.get('content-type') ?? '',
    async read(range) {
      if (range.from + range.octets > total)
        throw new MediaFault('The film is shorter than its index says', 422)
      if (range.from + range.octets <= first.length)
        return first.subarray(range.from, range.from + range.octets)
      return readRange(below, path, { range, tag, etag })
    },
  }
}

/** A file that is known already: nothing is asked until it is read. */
export function knownSource(
  below: Below,
  path: string,
  known: Pick<SourceFile, 'octets' | 'tag' | 'etag'>,
): MediaFile {
  const { octets, tag, etag } = known
  return { octets, tag, read: (range) => readRange(below, path, { range, tag, etag }) }
}

type Wanted = { readonly range: OctetRange; readonly tag: string; readonly etag: string | undefined }

/** @throws {MediaFault} 409 when the file is another one now */
async function readRange(below: Below, path: string, { range, tag, etag }: Wanted): Promise<Uint8Array> {
  const { head, body } = await request(below, path, range, etag)
  const total = totalOf(head)
  if (total === null || versionOf(head, total) !== tag) {
    body?.cancel('finished')
    throw new MediaFault('The film has been replaced by another version', 409)
  }
  if (head.status === 206) return take(body, range.octets)
  if (range.from > LIMIT_SKIPPED_OCTETS) {
    body?.cancel('finished')
    throw new MediaFault(
      'The service answers no ranges, without which a film of this size cannot be cut',
      502,
    )
  }
  return (await take(body, range.from + range.octets)).subarray(range.from)
}

type Answer = { readonly head: ResponseHead; readonly body: Source | null }

async function request(below: Below, path: string, range: OctetRange, etag?: string): Promise<Answer> {
  const lines: [string, string][] = [
    ['Range', `bytes=${range.from}-${range.from + range.octets - 1}`],
    ['Accept', '*/*'],
  ]
  // RFC 9110 §13.1.5: ranges of two versions are never mixed; a weak tag cannot tell them apart.
  if (etag !== undefined && !etag.startsWith('W/')) lines.push(['If-Range', etag])
  const { authority, host, client } = below.request
  const asked: Request = {
    ...{ authority, host, client, method: 'GET', target: path, version: '1.1', body: null },
    ...{ fields: fieldsOf(lines), lengthOctets: 0, upgrade: undefined },
  }
  const answer = await new Promise<Answer & { note: ExchangeNote }>((resolve, reject) => {
    ask(below.handler, asked, {
      informed() {},
      aborted: (reason) => reject(new MediaFault(`The film cannot be read: ${reason}`, 502)),
      answered: (head, body, note) => resolve({ head, body, note }),
    })
  })
  if (answer.head.status === 206 || answer.head.status === 200) return answer
  answer.body?.cancel('finished')
  throw refusalOf(answer.head.status)
}

function refusalOf(status: number): MediaFault {
  if (status === 416) return new MediaFault('The file is empty', 422)
  if (status === 404 || status === 410) return new MediaFault('There is no such film', 404)
  if (status >= 500) {
    const passed = status === 503 || status === 504 ? status : 502
    return new MediaFault('The service that has the film cannot give it', passed)
  }
  if (status === 401 || status === 403)
    return new MediaFault('The film may not be read without more rights', status)
  return new MediaFault(`The film was asked for, and the answer is ${status}`, 502)
}

/** The length of the whole file; null when nothing says it. */
function totalOf({ status, fields, lengthOctets }: ResponseHead): number | null {
  if (status === 200) return lengthOctets
  const total = /^bytes \d+-\d+\/(\d+)$/.exec(fields.get('content-range') ?? '')?.[1]
  return total === undefined ? null : Number(total)
}

/** What the version of a file is known by. */
function versionOf({ fields }: ResponseHead, total: number): string {
  const known = `${fields.get('etag') ?? ''}\n${fields.get('last-modified') ?? ''}\n${total}`
  return createHash('sha256').update(known).digest('base64url').slice(0, 22)
}

/** The first octets of a body, copied; the rest is left. */
async function take(body: Source | null, octets: number): Promise<Uint8Array> {
  const taken = Buffer.allocUnsafe(octets)
  let at = 0
  while (at < octets && body !== null) {
    const piece = await Promise.resolve(body.read(octets - at)).catch(broken)
    if (piece === null) break
    taken.set(piece.subarray(0, octets - at), at)
    at += piece.length
  }
  body?.cancel('finished')
  if (at < octets) throw new MediaFault('The film broke off while it was read', 502)
  return taken
}

function broken(): never {
  throw new MediaFault('The film broke off while it was read', 502)
}
