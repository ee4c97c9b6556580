import { parseVersion, printVersion, type Stored } from '#bucket/store/change.ts'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import type { Asker } from '../admit.ts'
import type { Bucket } from '../bucket.ts'
import { respondObject } from '../get.ts'
import { grantOf } from '../identify.ts'
import { faultOf, faultOfError } from '../respond.ts'
import { isMediaType } from '../type.ts'
import { Fault } from '../wire/body.ts'
import { isSigned, readSignature, type Signature, signedAtMs } from '../wire/sigv4.ts'
import { deleteMany, deleteOne } from './delete.ts'
import { listBuckets, listObjects } from './list.ts'
import { abortParts, completeParts, createParts, listParts, putPart } from './multipart.ts'
import { copyObject, putObject } from './put.ts'
import { requireRight, type S3Request, splitPath } from './request.ts'
import { respondS3Fault, respondXml } from './respond.ts'

/** Whether a request is one of an S3 client: it is signed as those are. */
export function isS3({ request }: Exchange, query: URLSearchParams): boolean {
  return query.has('X-Amz-Algorithm') || request.fields.get('authorization')?.startsWith('AWS4-') === true
}

/** Answer a request of an S3 client: the part of that interface that programs use to store and fetch. */
export async function serveS3(bucket: Bucket, exchange: Exchange, query: URLSearchParams): Promise<void> {
  try {
    await serve(bucket, exchange, query)
  } catch (error) {
    const fault = faultOfError(error, exchange, bucket.log)
    if (fault !== null) respondS3Fault(exchange, fault)
  }
}

async function serve(bucket: Bucket, exchange: Exchange, query: URLSearchParams): Promise<void> {
  const { request } = exchange
  const path = request.target.split('?', 1)[0]!
  const { name, key } = splitPath(path)
  const { signature, secret, asker } = authenticate(bucket, exchange, path, query)
  if (name === '') return listBuckets(bucket, exchange)
  // Here the bucket is the first label of the host.
  if (name !== request.host.split('.')[0]) throw new Fault(404, `there is no bucket "${name}" on this host`)
  const asked: S3Request = { bucket, exchange, query, key, asker, signature, secret }
  return asked.key === '' ? serveBucket(asked) : serveObject(asked)
}

/** @throws {Fault} when the key is not known, the signature is not right, or its time is over */
function authenticate(
  bucket: Bucket,
  { request }: Exchange,
  path: string,
  query: URLSearchParams,
): { signature: Signature; secret: string; asker: Asker } {
  const signed = { method: request.method, path, query, authority: request.authority, fields: request.fields }
  const signature = readSignature(signed)
  if (signature === null || signature === undefined) throw new Fault(400, 'the signature is malformed')
  const key = bucket.keys.get(signature.keyId)
  if (key === undefined) throw new Fault(403, 'the access key is not known')
  if (!isSigned(signature, signed, key.secret)) throw new Fault(403, SIGNATURE_WRONG)
  const ageMs = bucket.now() - signedAtMs(signature)
  const { expiresSeconds } = signature
  if (
    expiresSeconds === null
      ? Math.abs(ageMs) > LIMIT_SKEW_MS
      : ageMs > expiresSeconds * 1000 || ageMs < -LIMIT_SKEW_MS
  ) {
    throw new Fault(403, 'the time of the signature is too far from now')
  }
  return { signature, secret: key.secret, asker: { grant: grantOf(key), isLocal: false, isCrossSite: false } }
}

/** What clients look for in the answer; see `respondS3Fault`. */
const SIGNATURE_WRONG = 'the signature is not right'
/** as S3 has it */
const LIMIT_SKEW_MS = 900_000

function serveBucket(asked: S3Request): Promise<void> | void {
  const { exchange, query } = asked
  const { method } = exchange.request
  if (method === 'POST' && query.has('delete')) return deleteMany(asked)
  if (method === 'HEAD') return exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: 0 }, null)
  if (method === 'GET' && query.has('location')) return respondXml(exchange, 200, 'LocationConstraint', '')
  if (method === 'GET' && query.has('versioning')) {
    const status = asked.bucket.plan.versions ? 'Enabled' : undefined
    return respondXml(exchange, 200, 'VersioningConfiguration', { Status: status })
  }
  if (method === 'GET' && !SUBRESOURCES.some((name) => query.has(name))) {
    requireRight(asked, 'list', query.get('prefix') ?? '')
    return listObjects(asked)
  }
  // It is there already, and belongs to whoever has a key.
  if (method === 'PUT' && !SUBRESOURCES.some((name) => query.has(name))) {
    requireRight(asked, 'write', '')
    return exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: 0 }, null)
  }
  throw NOT_OFFERED
}

function serveObject(asked: S3Request): Promise<void> | void {
  const { exchange, query, key } = asked
  const { method, fields } = exchange.request
  if (NOT_KNOWN.some((name) => query.has(name))) throw NOT_OFFERED
  const isRead = method === 'GET' || method === 'HEAD'
  requireRight(asked, isRead && !query.has('uploadId') ? 'read' : 'write', key)
  const id = query.get('uploadId')
  if (id !== null && !/^[\w-]{24}$/.test(id)) throw new Fault(404, 'there is no such upload')
  if (isRead) return id === null ? getObject(asked) : listParts(asked, id)
  if (method === 'PUT' && id !== null) return putPart(asked, id)
  if (method === 'PUT')
    return fields.get('x-amz-copy-source') === undefined ? putObject(asked) : copyObject(asked)
  if (method === 'POST' && query.has('uploads')) return createParts(asked)
  if (method === 'POST' && id !== null) return completeParts(asked, id)
  if (method === 'DELETE') return id === null ? deleteOne(asked) : abortParts(asked, id)
  throw NOT_OFFERED
}

async function getObject({ bucket, exchange, query, key }: S3Request): Promise<void> {
  const written = query.get('versionId')
  const version = written === null ? null : parseVersion(written)
  const stored = (await bucket.reader()).find(key, version)
  if (stored === null) throw faultOf({ kind: 'not found' })
  const more = bucket.plan.versions ? [['x-amz-version-id', printVersion(stored.version)] as const] : []
  return respondObject(exchange, said(stored, query), { bucket, more })
}

/** The object with the fields that a signed request wants said of it. */
function said(stored: Stored, query: URLSearchParams): Stored {
  const wanted = new Map(
    RESPONSE_FIELDS.flatMap((name) => {
      const value = query.get(`response-${name.toLowerCase()}`)
      return value === null ? [] : [[name, Buffer.from(value).toString('latin1')] as const]
    }),
  )
  if (wanted.size === 0) return stored
  for (const value of wanted.values())
    if (/[^\x20-\x7e\x80-\xff]/.test(value))
      throw new Fault(400, 'a "response-" field holds a control character')
  const { 'Content-Type': type = stored.type, ...fields } = Object.fromEntries(wanted)
  if (!isMediaType(type)) throw new Fault(400, '"response-content-type" is no media type')
  const kept = stored.about.headers.filter(([name]) => !wanted.has(name))
  return { ...stored, type, about: { ...stored.about, headers: [...kept, ...Object.entries(fields)] } }
}

const RESPONSE_FIELDS = [
  'Content-Type',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Cache-Control',
  'Expires',
]

/** What else can be asked of a bucket: a GET without any of them lists it. */
const SUBRESOURCES = [
  'accelerate',
  'acl',
  'analytics',
  'cors',
  'encryption',
  'inventory',
  'lifecycle',
  'logging',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'replication',
  'requestPayment',
  'tagging',
  'uploads',
  'versions',
  'website',
]
const NOT_KNOWN = ['acl', 'tagging', 'torrent', 'retention', 'legal-hold', 'attributes', 'select', 'restore']
const NOT_OFFERED = new Fault(501, 'this part of S3 is not offered')
