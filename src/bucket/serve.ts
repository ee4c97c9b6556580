import { resolve } from 'node:path'
import type { Log } from '#core/log.ts'
import type { Exchange, Handler } from '#http/exchange.ts'
import { isRefusal, type Refusal, refuse } from '#http/wire/refusal.ts'
import type { Asker, Right } from './admit.ts'
import { Bucket } from './bucket.ts'
import { type Apply, parseVersion } from './change.ts'
import { respondObject } from './get.ts'
import { identify, readKeys } from './identify.ts'
import { listObjects, listVersions } from './list.ts'
import type { BucketPlan } from './plan.ts'
import { copyObject, deleteObject, putObject } from './put.ts'
import { receivePost } from './receive.ts'
import { type Lines, NOT_FOUND, respondEmpty, respondRefusal } from './respond.ts'
import { BodyFault } from './wire/body.ts'
import { keyOfPath } from './wire/key.ts'

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
  const bucket = new Bucket({ plan, root: resolve(folder, plan.root), keys, apply, worker, log, now })
  return (exchange) => {
    exchange.note.answeredBy = 'bucket'
    const [path = '', query = ''] = exchange.request.target.split(/\?(.*)/s, 2)
    const asked: Asked = { exchange, path, query: new URLSearchParams(query) }
    serve(bucket, asked).catch((error: unknown) => respondFailure(bucket, exchange, error))
  }
}

async function serve(bucket: Bucket, asked: Asked): Promise<void> {
  const { exchange, path, query } = asked
  const { request } = exchange
  const key = keyOfPath(path)
  if (isRefusal(key)) return respondRefusal(exchange, key)
  const asker = identify(request, bucket.keys, { path, objectKey: key, query, nowMs: bucket.now() })
  if (isRefusal(asker)) return respondRefusal(exchange, asker, CHALLENGE)
  await serveObject(bucket, asked, key, asker)
}

async function serveObject(bucket: Bucket, asked: Asked, key: string, asker: Asker): Promise<void> {
  const { exchange, query } = asked
  const { method } = exchange.request
  const isFolder = key === '' || key.endsWith('/')
  const right = rightOf(method, isFolder || query.has('versions'))
  if (right === null) return respondEmpty(exchange, method === 'OPTIONS' ? 204 : 405, ALLOW)
  const refusal = bucket.refuses(right, key, asker)
  if (refusal !== null) return respondRefusal(exchange, refusal, refusal.status === 401 ? CHALLENGE : [])
  const version = versionOf(query)
  if (isRefusal(version)) return respondRefusal(exchange, version)
  const label = labelOf(query)
  if (method === 'POST') return receivePost(bucket, exchange, { key, query, label })
  if (right === 'list') {
    if (!isFolder) return listVersions(bucket, exchange, key)
    return listObjects(bucket, exchange, { prefix: key + (query.get('prefix') ?? ''), query })
  }
  if (isFolder)
    return respondRefusal(exchange, refuse(400, 'the name of an object does not end with a slash'))
  if (method === 'PUT') return putObject(bucket, exchange, key, label)
  if (method === 'DELETE') return deleteObject(bucket, exchange, key, version)
  if (method === 'COPY') return copyObject(bucket, exchange, key, asker)
  const stored = (await bucket.reader()).find(key, version)
  if (stored === null) return respondRefusal(exchange, NOT_FOUND)
  return respondObject(exchange, stored, { blobs: bucket.paths.blobs, nowMs: bucket.now() })
}

/** What a method needs; null when it is not offered. */
function rightOf(method: string, isList: boolean): Right | null {
  if (method === 'GET' || method === 'HEAD') return isList ? 'list' : 'read'
  if (method === 'COPY') return 'read'
  return method === 'PUT' || method === 'POST' || method === 'DELETE' ? 'write' : null
}

function versionOf(query: URLSearchParams): number | null | Refusal {
  const written = query.get('version')
  if (written === null) return null
  const version = parseVersion(written)
  return Number.isNaN(version) ? NOT_FOUND : version
}

/** A client names its upload to watch it. */
function labelOf(query: URLSearchParams): string {
  return /^[\w-]{8,64}$/.exec(query.get('progress') ?? '')?.[0] ?? ''
}

/** A body that broke off has nobody to answer; all else is said. */
function respondFailure({ log }: Bucket, exchange: Exchange, error: unknown): void {
  if (error instanceof BodyFault) return respondRefusal(exchange, error.refusal)
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOSPC' || code === 'EDQUOT') return respondRefusal(exchange, refuse(507, 'the disk is full'))
  if (error instanceof Error && error.message.startsWith('The content of the request broke off')) return
  log('error', 'bucket/failed', {
    target: exchange.request.target,
    error: error instanceof Error ? (error.stack ?? '') : String(error),
  })
  respondRefusal(exchange, refuse(500, 'the bucket could not do this'))
}

const ALLOW: Lines = [['Allow', 'GET, HEAD, PUT, POST, DELETE, COPY, OPTIONS']]
/** RFC 9110 §11.6.1 */
const CHALLENGE: Lines = [['WWW-Authenticate', 'Bearer realm="bucket"']]
