import { etagOf } from '#bucket/store/change.ts'
import { LAST } from '#bucket/store/reader.ts'
import type { Exchange } from '#http/exchange.ts'
import type { Bucket } from '../bucket.ts'
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

/** ListObjectsV2; and ListObjects, in which one goes on behind a marker that is a key or what several were cut to. */
export async function listObjects({ bucket, exchange, query }: S3Request): Promise<void> {
  const encodes = query.get('encoding-type') === 'url'
  const written = (name: string): string => query.get(name) ?? ''
  const limit = Number(query.get('max-keys') ?? LIMIT_KEYS)
  if (!Number.isInteger(limit) || limit < 0) throw new Fault(400, '"max-keys" is no number')
  const isFirst = query.get('list-type') !== '2'
  const token = Buffer.from(written('continuation-token'), 'base64url')
  if (token.toString('base64url') !== written('continuation-token'))
    throw new Fault(400, '"continuation-token" is none of ours')
  const [prefix, delimiter, marker] = [written('prefix'), written('delimiter'), written('marker')]
  const after = isFirst ? behind(marker, prefix, delimiter) : token.toString() || written('start-after')
  const options = { prefix, after, delimiter }
  const most = Math.min(limit, LIMIT_KEYS)
  const { objects, prefixes, next } =
    most === 0 ? NOTHING : (await bucket.reader()).list({ ...options, limit: most })
  const show = (key: string): string => (encodes ? encodeURIComponent(key).replaceAll('%2F', '/') : key)
  respondXml(exchange, 200, 'ListBucketResult', {
    Name: exchange.request.host.split('.')[0],
    Prefix: show(prefix),
    Delimiter: options.delimiter === '' ? undefined : show(options.delimiter),
    MaxKeys: most,
    EncodingType: encodes ? 'url' : undefined,
    IsTruncated: next !== null,
    ...(isFirst
      ? { Marker: show(marker), NextMarker: next === null ? undefined : show(next.replace(LAST, '')) }
      : {
          KeyCount: objects.length + prefixes.length,
          ContinuationToken: query.get('continuation-token') ?? undefined,
          NextContinuationToken: next === null ? undefined : Buffer.from(next).toString('base64url'),
          StartAfter: query.has('start-after') ? show(written('start-after')) : undefined,
        }),
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

/** Where a list goes on. What several keys were cut to stands once: all of them are behind us. */
function behind(marker: string, prefix: string, delimiter: string): string {
  const cut = delimiter === '' ? -1 : marker.indexOf(delimiter, prefix.length)
  return cut >= 0 && cut + delimiter.length === marker.length ? marker + LAST : marker
}

const LIMIT_KEYS = 1000
const NOTHING = { objects: [], prefixes: [], next: null }
