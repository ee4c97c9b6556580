import type { Exchange } from '#http/exchange.ts'
import type { Bucket } from '../bucket.ts'
import { etagOf } from '../change.ts'
import { Fault } from '../wire/body.ts'
import type { S3Request } from './request.ts'
import { respondXml } from './respond.ts'

/** ListBuckets: there is one on each host. */
export async function listBuckets(bucket: Bucket, exchange: Exchange): Promise<void> {
  await bucket.reader()
  const name = exchange.request.host.split('.')[0]
  const one = { Name: name, CreationDate: new Date(0).toISOString() }
  respondXml(exchange, 200, 'ListAllMyBucketsResult', { Buckets: { Bucket: one } })
}

/** ListObjectsV2. */
export async function listObjects({ bucket, exchange, query }: S3Request): Promise<void> {
  const encodes = query.get('encoding-type') === 'url'
  const written = (name: string): string => query.get(name) ?? ''
  const limit = Number(query.get('max-keys') ?? LIMIT_KEYS)
  if (!Number.isInteger(limit) || limit < 0) throw new Fault(400, '"max-keys" is no number')
  const token = Buffer.from(written('continuation-token'), 'base64url').toString()
  const prefix = written('prefix')
  const options = { prefix, after: token || written('start-after'), delimiter: written('delimiter') }
  const most = Math.min(limit, LIMIT_KEYS)
  const { objects, prefixes, next } =
    most === 0 ? NOTHING : (await bucket.reader()).list({ ...options, limit: most })
  const show = (key: string): string => (encodes ? encodeURIComponent(key).replaceAll('%2F', '/') : key)
  respondXml(exchange, 200, 'ListBucketResult', {
    Name: exchange.request.host.split('.')[0],
    Prefix: show(prefix),
    Delimiter: options.delimiter === '' ? undefined : show(options.delimiter),
    MaxKeys: limit,
    EncodingType: encodes ? 'url' : undefined,
    KeyCount: objects.length + prefixes.length,
    IsTruncated: next !== null,
    ContinuationToken: query.get('continuation-token') ?? undefined,
    NextContinuationToken: next === null ? undefined : Buffer.from(next).toString('base64url'),
    StartAfter: query.has('start-after') ? show(written('start-after')) : undefined,
    Contents: objects.map((stored) => ({
      Key: show(stored.key),
      LastModified: new Date(stored.createdMs).toISOString(),
      ETag: etagOf(stored),
      Size: stored.octets,
      StorageClass: 'STANDARD',
    })),
    CommonPrefixes: prefixes.map((common) => ({ Prefix: show(common) })),
  })
}

const LIMIT_KEYS = 1000
const NOTHING = { objects: [], prefixes: [], next: null }
