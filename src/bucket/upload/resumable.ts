import { randomBytes } from 'node:crypto'
import type { Bucket } from '#bucket/bucket.ts'
import { contentOf } from '#bucket/content.ts'
import { describeStored, type Lines, respondEmpty, respondJson } from '#bucket/respond.ts'
import { etagOf } from '#bucket/store/change.ts'
import { refuseEarly } from '#bucket/store/store.ts'
import { isMediaType } from '#bucket/type.ts'
import { Fault, required } from '#bucket/wire/body.ts'
import { parseParameters } from '#bucket/wire/disposition.ts'
import { fileName, judgeKey, pathOfKey } from '#bucket/wire/key.ts'
import { readOctets } from '#bucket/wire/tus.ts'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import {
  appendOctets,
  completeUpload,
  createUpload,
  findUpload,
  removeUpload,
  type Upload,
  withLock,
} from './upload.ts'

/** A request about uploads that can be resumed, by whichever protocol. */
export type ResumableRequest = {
  readonly bucket: Bucket
  readonly exchange: Exchange
  /** of the upload; null for those that are not about one */
  readonly id: string | null
  /** where a new upload leads: a folder when it ends with a slash or is empty */
  readonly target: string
  /** from the target to the uploads beside it, such as `./.uploads/` */
  readonly uploadsReference: string
  /** Throws when the client may not write an object. */
  readonly requireWrite: (key: string) => void
}

/** What is told of limits, also before an upload is begun. */
export function uploadLimit({ plan }: Bucket): readonly [string, string] {
  return ['Upload-Limit', `max-size=${plan.maxOctets}, max-age=${Math.floor(plan.incompleteMs / 1000)}`]
}

/**
 * Answer a request of "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload, versions 5 to 12).
 *
 * Uploads are those of tus: a client may go on by either.
 */
export async function serveResumable(asked: ResumableRequest): Promise<void> {
  const { bucket, exchange, id } = asked
  const { method } = exchange.request
  if (id === null) return create(asked)
  if (method === 'HEAD' || method === 'GET') return respondOffset(asked, await findUpload(bucket, id))
  if (method === 'PATCH') return withLock(bucket, id, () => append(asked, id))
  if (method !== 'DELETE')
    throw new Fault(405, `${method} does nothing here`, [['Allow', 'HEAD, GET, PATCH, DELETE']])
  return withLock(bucket, id, async () => {
    await findUpload(bucket, id)
    await removeUpload(bucket, id)
    respondEmpty(exchange, 204)
  })
}

async function create(asked: ResumableRequest): Promise<void> {
  const { bucket, exchange } = asked
  const { method, fields } = exchange.request
  if (method !== 'PUT' && method !== 'POST')
    throw new Fault(405, 'an upload begins with PUT or POST', [['Allow', 'PUT, POST']])
  const isLast = readComplete(exchange)
  const type = fields.get('content-type') ?? ''
  const { key, name, taken } = targetOf(asked)
  asked.requireWrite(key)
  const length = lengthOf(exchange, 0, isLast)
  const declared = isMediaType(type) ? type : null
  refuseEarly(bucket, length, declared)
  const info = { key, taken, length, name, declared, metadata: '', concat: '', became: null }
  const upload = await createUpload(bucket, info)
  const location = ['Location', `${asked.uploadsReference}${upload.id}`] as const
  const version = fields.get('upload-draft-interop-version') ?? ''
  // A client of another version must not take it for one of its own.
  if (VERSIONS.includes(version)) {
    exchange.inform(104, fieldsOf([['Upload-Draft-Interop-Version', version], location, uploadLimit(bucket)]))
  }
  await withLock(bucket, upload.id, async () => {
    const offset = await take(asked, upload)
    await conclude(asked, { ...upload, offset }, isLast, 201, [location, uploadLimit(bucket)])
  })
}

function targetOf({ exchange, target }: ResumableRequest): {
  key: string
  name: string | null
  taken: 'replace' | 'rename'
} {
  const { method, fields } = exchange.request
  const disposition = Buffer.from(fields.get('content-disposition') ?? '', 'latin1').toString('utf8')
  const name = fileName(parseParameters(disposition)?.parameters.get('filename') ?? '') ?? null
  const isFolder = target === '' || target.endsWith('/')
  if (isFolder && method === 'PUT') throw new Fault(400, 'the name of an object does not end with a slash')
  const key = isFolder ? required(judgeKey(target + (name ?? randomBytes(9).toString('base64url')))) : target
  return { key, name, taken: method === 'PUT' ? 'replace' : 'rename' }
}

/** RFC 5789 §2: a PATCH that tells where its octets go. */
async function append(asked: ResumableRequest, id: string): Promise<void> {
  const { bucket, exchange } = asked
  const { fields } = exchange.request
  if (fields.get('content-type') !== 'application/partial-upload')
    throw new Fault(415, 'the Content-Type of PATCH is application/partial-upload')
  const isLast = readComplete(exchange)
  const offset = readOctets(fields, 'Upload-Offset')
  if (offset === null) throw new Fault(400, 'Upload-Offset says where the octets go')
  const upload = await findUpload(bucket, id)
  if (upload.became !== null)
    return respondProblem(exchange, 400, 'completed-upload', [['Upload-Complete', '?1']])
  if (offset !== upload.offset) {
    const lines = [
      ['Upload-Offset', `${upload.offset}`],
      ['Upload-Complete', '?0'],
    ] as const
    return respondProblem(exchange, 409, 'mismatching-upload-offset', lines)
  }
  const length = lengthOf(exchange, offset, isLast)
  if (length !== null && upload.length !== null && length !== upload.length)
    return respondProblem(exchange, 400, 'inconsistent-upload-length')
  const after = await take(asked, { ...upload, length: upload.length ?? length })
  await conclude(asked, { ...upload, offset: after }, isLast, 204, [])
}

/** Octets that have arrived: they stay also when the rest does not come. */
async function take({ bucket, exchange }: ResumableRequest, upload: Upload): Promise<number> {
  const body = contentOf(exchange.request)
  if (body === null) return upload.offset
  return appendOctets(bucket, upload, { read: () => body.read(READ_OCTETS) }, null)
}

async function conclude(
  { bucket, exchange }: ResumableRequest,
  upload: Upload,
  isLast: boolean,
  status: number,
  lines: Lines,
): Promise<void> {
  if (!isLast) {
    const offset = ['Upload-Offset', `${upload.offset}`] as const
    return respondEmpty(exchange, status, [['Upload-Complete', '?0'], offset, ...lines])
  }
  if (upload.length !== null && upload.length !== upload.offset)
    return respondProblem(exchange, 400, 'inconsistent-upload-length')
  const stored = await completeUpload(bucket, upload)
  const about = [
    ['ETag', etagOf(stored)],
    ['Location', pathOfKey(stored.key)],
  ] as const
  respondJson(exchange, 201, describeStored(stored), [['Upload-Complete', '?1'], ...about])
}

function respondOffset({ bucket, exchange }: ResumableRequest, { offset, length, became }: Upload): void {
  respondEmpty(exchange, 204, [
    ['Upload-Offset', `${offset}`],
    ['Upload-Complete', became === null ? '?0' : '?1'],
    ...(length === null ? [] : [['Upload-Length', `${length}`] as const]),
    uploadLimit(bucket),
    ['Cache-Control', 'no-store'],
  ])
}

/** Whether the request has the end of the upload: a boolean (RFC 9651 §3.3.6). */
function readComplete({ request }: Exchange): boolean {
  const written = request.fields.get('upload-complete')?.trim()
  if (written !== '?0' && written !== '?1') throw new Fault(400, 'Upload-Complete is ?1 or ?0')
  return written === '?1'
}

/** What the request says of the length of the whole, in either way; null when it does not. */
function lengthOf({ request }: Exchange, offset: number, isLast: boolean): number | null {
  const said = readOctets(request.fields, 'Upload-Length')
  const counted = isLast && request.lengthOctets !== null ? offset + request.lengthOctets : null
  if (said !== null && counted !== null && said !== counted)
    throw new Fault(400, 'Upload-Length and Content-Length say different lengths')
  return said ?? counted
}

/** RFC 9457 §3: what programs read of a fault. */
function respondProblem(exchange: Exchange, status: number, type: string, lines: Lines = []): void {
  const problem = {
    type: `https://iana.org/assignments/http-problem-types#${type}`,
    title: type.replaceAll('-', ' '),
  }
  const body = Buffer.from(JSON.stringify(problem))
  const fields = fieldsOf([
    ['Content-Type', 'application/problem+json'],
    ['Cache-Control', 'no-store'],
    ...lines,
  ])
  exchange.respond({ status, fields, lengthOctets: body.length }, body)
}

/** Interop versions whose requests and answers are the same here. */
const VERSIONS = ['6', '7', '8', '9']
const READ_OCTETS = 262_144
