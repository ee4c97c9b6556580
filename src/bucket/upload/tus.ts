import { join } from 'node:path'
import type { Bucket } from '#bucket/bucket.ts'
import { contentOf } from '#bucket/content.ts'
import { faultOfError, type Lines, respondEmpty, respondRefusal } from '#bucket/respond.ts'
import { FileOctets } from '#bucket/store/file-octets.ts'
import { isMediaType } from '#bucket/type.ts'
import { Fault, required } from '#bucket/wire/body.ts'
import { fileName, judgeKey, pathOfKey } from '#bucket/wire/key.ts'
import {
  parseMetadata,
  readChecksum,
  readOctets,
  readParts,
  TUS_ALGORITHMS,
  TUS_EXTENSIONS,
  TUS_VERSION,
} from '#bucket/wire/tus.ts'
import type { Exchange } from '#http/exchange.ts'
import { formatDate } from '#http/wire/date.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import type { ResumableRequest } from './resumable.ts'
import {
  appendOctets,
  completeUpload,
  createUpload,
  findUpload,
  removeUpload,
  type Upload,
  type UploadInfo,
  updateUpload,
  withLock,
} from './upload.ts'

export type TusRequest = ResumableRequest & { readonly method: string }

/** What a client asks for who may not send all methods (tus, `X-HTTP-Method-Override`). */
export function methodOf({ request }: Exchange): string {
  return request.fields.get('x-http-method-override')?.toUpperCase() ?? request.method
}

/** Answer a request of the protocol tus 1.0.0. */
export async function serveTus(asked: TusRequest): Promise<void> {
  const { bucket, exchange } = asked
  try {
    await serve(asked)
  } catch (error) {
    const fault = faultOfError(error, exchange, bucket.log)
    if (fault !== null)
      respondRefusal(exchange, fault.refusal, [['Tus-Resumable', TUS_VERSION], ...fault.lines])
  }
}

async function serve(asked: TusRequest): Promise<void> {
  const { bucket, exchange, method, id } = asked
  if (method === 'OPTIONS') return respondEmpty(exchange, 204, tusOffer(bucket))
  if (exchange.request.fields.get('tus-resumable') !== TUS_VERSION) {
    throw new Fault(412, `the version of tus is ${TUS_VERSION}`, [['Tus-Version', TUS_VERSION]])
  }
  if (id === null) {
    if (method === 'POST') return create(asked)
  } else {
    if (method === 'HEAD') return respondOffset(exchange, await findUpload(bucket, id))
    if (method === 'PATCH') return withLock(bucket, id, () => append(asked, id))
    if (method === 'DELETE') return withLock(bucket, id, () => remove(asked, id))
  }
  throw new Fault(405, `${method} does nothing here`, [
    ['Allow', id === null ? 'POST, OPTIONS' : 'HEAD, PATCH, DELETE, OPTIONS'],
  ])
}

/** What is told of tus before an upload is begun. */
export function tusOffer({ plan }: Bucket): Lines {
  return [
    ['Tus-Resumable', TUS_VERSION],
    ['Tus-Version', TUS_VERSION],
    ['Tus-Extension', TUS_EXTENSIONS],
    ['Tus-Max-Size', `${plan.maxOctets}`],
    ['Tus-Checksum-Algorithm', TUS_ALGORITHMS.join(',')],
  ]
}

async function create(asked: TusRequest): Promise<void> {
  const { bucket, exchange } = asked
  const { fields } = exchange.request
  const concat = fields.get('upload-concat') ?? ''
  if (concat !== '' && concat !== 'partial' && !concat.startsWith('final;')) {
    throw new Fault(400, 'Upload-Concat is "partial", or "final;" and uploads')
  }
  const info = readInfo(asked, concat)
  asked.requireWrite(info.key)
  if (concat.startsWith('final;')) return joinParts(asked, info)
  const isDeferred = fields.get('upload-defer-length') !== undefined
  if ((info.length === null) !== isDeferred || (isDeferred && fields.get('upload-defer-length') !== '1')) {
    throw new Fault(400, 'Upload-Length, or Upload-Defer-Length: 1, says how much will come')
  }
  if ((info.length ?? 0) > bucket.plan.maxOctets) {
    throw new Fault(413, `an object may have ${bucket.plan.maxOctets} octets, and this is larger`)
  }
  const upload = await createUpload(bucket, info)
  const type = fields.get('content-type')
  const hasContent = exchange.request.body !== null && type === OFFSET_TYPE
  const lines: Lines = [['Location', `${asked.uploadsReference}${upload.id}`]]
  if (!hasContent && upload.length !== 0) return respond(exchange, 201, [...lines, expires(upload)])
  await withLock(bucket, upload.id, async () => {
    const after = hasContent ? await take(asked, upload) : upload
    const became = await finish(bucket, after)
    respond(exchange, 201, [...lines, ['Upload-Offset', `${after.offset}`], expires(upload), ...became])
  })
}

function readInfo({ exchange, target }: TusRequest, concat: string): UploadInfo {
  const { fields } = exchange.request
  const metadata = fields.get('upload-metadata') ?? ''
  const pairs = parseMetadata(metadata)
  const name = fileName(pairs.get('filename') ?? pairs.get('name') ?? '') ?? null
  const declared = pairs.get('filetype') ?? pairs.get('type') ?? ''
  const isFolder = target === '' || target.endsWith('/')
  const length = readOctets(fields, 'Upload-Length')
  return {
    key: isFolder ? required(judgeKey(target + (name ?? 'upload'))) : target,
    taken: isFolder ? 'rename' : 'replace',
    length,
    name,
    declared: isMediaType(declared) ? declared : null,
    metadata,
    concat,
    became: null,
  }
}

/** RFC 5789 §2: a PATCH that tells where its octets go. */
async function append(asked: TusRequest, id: string): Promise<void> {
  const { bucket, exchange } = asked
  const { fields } = exchange.request
  if (fields.get('content-type') !== OFFSET_TYPE)
    throw new Fault(415, `the Content-Type of PATCH is ${OFFSET_TYPE}`)
  const found = await findUpload(bucket, id)
  if (found.concat.startsWith('final;'))
    throw new Fault(403, 'an upload that was joined takes no more octets')
  if (readOctets(fields, 'Upload-Offset') !== found.offset) {
    throw new Fault(409, `the offset is ${found.offset}`, [['Upload-Offset', `${found.offset}`]])
  }
  const upload = await learnLength(bucket, found, readOctets(fields, 'Upload-Length'))
  const after = await take(asked, upload)
  const became = await finish(bucket, after)
  respond(exchange, 204, [['Upload-Offset', `${after.offset}`], expires(after), ...became])
}

async function learnLength(bucket: Bucket, upload: Upload, length: number | null): Promise<Upload> {
  if (length === null || length === upload.length) return upload
  if (upload.length !== null) throw new Fault(400, 'the length was said before')
  if (length < upload.offset) throw new Fault(400, 'more than this length has arrived')
  if (length > bucket.plan.maxOctets)
    throw new Fault(413, `an object may have ${bucket.plan.maxOctets} octets`)
  return updateUpload(bucket, upload, { length })
}

async function take({ bucket, exchange }: TusRequest, upload: Upload): Promise<Upload> {
  const body = contentOf(exchange.request)
  if (body === null || upload.became !== null) return upload
  const checksum = readChecksum(exchange.request.fields)
  const offset = await appendOctets(bucket, upload, { read: () => body.read(READ_OCTETS) }, checksum)
  return { ...upload, offset, expiresMs: bucket.now() + bucket.plan.incompleteMs }
}

/** Field lines that name the object when the upload has become one. */
async function finish(bucket: Bucket, upload: Upload): Promise<Lines> {
  if (upload.became !== null) return [['Content-Location', pathOfKey(upload.became)]]
  if (upload.offset !== upload.length || upload.concat === 'partial') return []
  const { key } = await completeUpload(bucket, upload)
  return [['Content-Location', pathOfKey(key)]]
}

/** The parts, one after the other, become one upload, which is complete. */
async function joinParts(asked: TusRequest, info: UploadInfo): Promise<void> {
  const { bucket, exchange } = asked
  if (info.length !== null) throw new Fault(400, 'the length of a joined upload is that of its parts')
  const parts = await Promise.all(readParts(info.concat).map((id) => findUpload(bucket, id)))
  const isReady = parts.every(({ concat, offset, length }) => concat === 'partial' && offset === length)
  if (!isReady) throw new Fault(409, 'a part has not arrived, or is no part')
  const length = parts.reduce((sum, part) => sum + part.offset, 0)
  if (length > bucket.plan.maxOctets)
    throw new Fault(413, `an object may have ${bucket.plan.maxOctets} octets`)
  const upload = await createUpload(bucket, { ...info, length })
  await withLock(bucket, upload.id, async () => {
    const octets = new FileOctets(parts.map(({ id }) => join(bucket.paths.uploads, id, 'data')))
    const offset = await appendOctets(bucket, upload, octets, null).finally(() => octets.close())
    const became = await finish(bucket, { ...upload, offset })
    respond(exchange, 201, [['Location', `${asked.uploadsReference}${upload.id}`], ...became])
  })
}

async function remove({ bucket, exchange }: TusRequest, id: string): Promise<void> {
  await findUpload(bucket, id)
  await removeUpload(bucket, id)
  respond(exchange, 204)
}

function respondOffset(exchange: Exchange, upload: Upload): void {
  const { offset, length, metadata, concat, became } = upload
  respond(exchange, 200, [
    ['Upload-Offset', `${offset}`],
    length === null ? ['Upload-Defer-Length', '1'] : ['Upload-Length', `${length}`],
    ...(metadata === '' ? [] : [['Upload-Metadata', metadata] as const]),
    ...(concat === '' ? [] : [['Upload-Concat', concat] as const]),
    ...(became === null ? [] : [['Content-Location', pathOfKey(became)] as const]),
    expires(upload),
    ['Cache-Control', 'no-store'],
  ])
}

function expires({ expiresMs }: Upload): readonly [string, string] {
  return ['Upload-Expires', formatDate(expiresMs)]
}

function respond(exchange: Exchange, status: number, lines: Lines = []): void {
  const fields = fieldsOf([['Tus-Resumable', TUS_VERSION], ...lines])
  exchange.respond({ status, fields, lengthOctets: 0 }, null)
}

const OFFSET_TYPE = 'application/offset+octet-stream'
const READ_OCTETS = 262_144
