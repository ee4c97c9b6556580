import { resolve } from 'node:path'
import { type Apply, parseVersion } from '#bucket/store/change.ts'
import { followLabel, followUpload } from '#bucket/upload/progress.ts'
import { serveResumable, uploadLimit } from '#bucket/upload/resumable.ts'
import { methodOf, serveTus, tusOffer } from '#bucket/upload/tus.ts'
import type { Log } from '#core/log.ts'
import type { Exchange, Handler } from '#http/exchange.ts'
import type { Asker, Right } from './admit.ts'
import { Bucket } from './bucket.ts'
import { respondObject } from './get.ts'
import { identify, readKeys } from './identify.ts'
import { listObjects, listVersions } from './list.ts'
import { respondUploadPage } from './page.ts'
import type { BucketPlan } from './plan.ts'
import { copyObject, deleteObject, putObject } from './put.ts'
import { receivePost } from './receive.ts'
import { faultOf, faultOfError, type Lines, respondEmpty, respondRefusal } from './respond.ts'
import { isS3, serveS3 } from './s3/serve.ts'
import { Fault, required } from './wire/body.ts'
import { keyOfPath, UPLOADS_SEGMENT } from './wire/key.ts'

export type ServeOptions = {
  /** folder of the file */
  readonly folder: string
  readonly apply: Apply
  readonly worker: number
  readonly log: Log
  /** milliseconds since 1970 */
  readonly now: () => number
}

/** A request to a bucket, taken apart. */
export type Asked = {
  readonly exchange: Exchange
  /** as sent, without query */
  readonly path: string
  readonly query: URLSearchParams
}

/** Create the handler of a bucket. */
export function createBucket(plan: BucketPlan, { folder, apply, worker, log, now }: ServeOptions): Handler {
  const keys = readKeys(plan.keys, folder, log)
  const store = plan.store && { ...plan.store, secretFile: resolve(folder, plan.store.secretFile) }
  const bucket = new Bucket({
    plan: { ...plan, store },
    root: resolve(folder, plan.root),
    keys,
    apply,
    worker,
    log,
    now,
  })
  return (exchange) => {
    exchange.note.answeredBy = 'bucket'
    const [path = '', query = ''] = exchange.request.target.split(/\?(.*)/s, 2)
    const asked: Asked = { exchange, path, query: new URLSearchParams(query) }
    serve(bucket, asked).catch((error: unknown) => {
      const fault = faultOfError(error, exchange, log)
      if (fault !== null) respondFault(exchange, fault)
    })
  }
}

async function serve(bucket: Bucket, asked: Asked): Promise<void> {
  const { exchange, path, query } = asked
  if (isS3(exchange, query)) return serveS3(bucket, exchange, query)
  const [, folder, id, events] = UPLOAD.exec(path) ?? []
  const key = required(keyOfPath(folder ?? path))
  const nowMs = bucket.now()
  const asker = required(identify(exchange.request, bucket.keys, { path, objectKey: key, query, nowMs }))
  // Who knows the name of an upload began it: it cannot be guessed.
  if (id && events) return followUpload(bucket, exchange, id)
  const { fields, method } = exchange.request
  const isDraft = fields.get('upload-complete') !== undefined || folder !== undefined
  const ofUploads = {
    bucket,
    exchange,
    id: id || null,
    target: key,
    uploadsReference: folder === undefined ? `./${UPLOADS_SEGMENT}/` : './',
    requireWrite: (target: string) => void required(bucket.refuses('write', target, asker)),
  }
  if (bucket.plan.resumable && isDraft && method !== 'OPTIONS' && fields.get('tus-resumable') === undefined)
    return serveResumable(ofUploads)
  const isTus = folder !== undefined || fields.get('tus-resumable') !== undefined
  if (!isTus) return serveObject(bucket, asked, key, asker)
  return serveTus({ ...ofUploads, method: methodOf(exchange) })
}

/** An upload that can be resumed, beside the folder that it goes to; and how far it is. */
const UPLOAD = /^(.*\/)\.uploads\/(?:([\w-]{1,64})(\/events)?)?$/

async function serveObject(
  bucket: Bucket,
  { exchange, query }: Asked,
  key: string,
  asker: Asker,
): Promise<void> {
  const { method } = exchange.request
  const isFolder = key === '' || key.endsWith('/')
  const right = rightOf(method, isFolder || query.has('versions'))
  if (right === null) {
    const limits = bucket.plan.resumable ? [uploadLimit(bucket)] : []
    // Clients of tus ask without saying that they are some.
    if (method === 'OPTIONS') return respondEmpty(exchange, 204, [...ALLOW, ...limits, ...tusOffer(bucket)])
    return respondEmpty(exchange, 405, [...ALLOW, ...limits])
  }
  if (isFolder && right === 'list' && wantsPage(bucket, exchange)) return respondUploadPage(exchange)
  required(bucket.refuses(right, key, asker))
  const version = versionOf(query)
  const label = labelOf(query)
  if (label !== '' && method === 'GET' && isFolder) return followLabel(bucket, exchange, label)
  if (method === 'POST') return receivePost(bucket, exchange, { key, query, label })
  if (right === 'list') {
    if (!isFolder) return listVersions(bucket, exchange, key)
    return listObjects(bucket, exchange, { prefix: key + (query.get('prefix') ?? ''), query })
  }
  if (isFolder) throw new Fault(400, 'the name of an object does not end with a slash')
  if (method === 'PUT') return putObject(bucket, exchange, { key, label })
  if (method === 'DELETE') return deleteObject(bucket, exchange, { key, version })
  if (method === 'COPY') return copyObject(bucket, exchange, { key, asker })
  const stored = (await bucket.reader()).find(key, version)
  if (stored === null) throw faultOf({ kind: 'not found' })
  return respondObject(exchange, stored, { bucket })
}

/** The page says nothing of what the bucket holds: who may upload is asked when something comes. */
function wantsPage({ plan }: Bucket, { request }: Exchange): boolean {
  return plan.page && /\btext\/html\b/i.test(request.fields.get('accept') ?? '')
}

/** What a method needs; null when it is not offered. */
function rightOf(method: string, isList: boolean): Right | null {
  if (method === 'GET' || method === 'HEAD') return isList ? 'list' : 'read'
  if (method === 'COPY') return 'read'
  return method === 'PUT' || method === 'POST' || method === 'DELETE' ? 'write' : null
}

function versionOf(query: URLSearchParams): number | null {
  const written = query.get('version')
  if (written === null) return null
  const version = parseVersion(written)
  if (Number.isNaN(version)) throw faultOf({ kind: 'not found' })
  return version
}

/** A client names its upload to watch it. */
function labelOf(query: URLSearchParams): string {
  return /^[\w-]{8,64}$/.exec(query.get('progress') ?? '')?.[0] ?? ''
}

function respondFault(exchange: Exchange, { refusal, lines }: Fault): void {
  respondRefusal(exchange, refusal, refusal.status === 401 ? [...lines, CHALLENGE] : lines)
}

const ALLOW: Lines = [['Allow', 'GET, HEAD, PUT, POST, DELETE, COPY, OPTIONS']]
/** RFC 9110 §11.6.1 */
const CHALLENGE = ['WWW-Authenticate', 'Bearer realm="bucket"'] as const
