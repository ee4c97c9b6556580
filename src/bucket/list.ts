import { printVersion } from '#bucket/store/change.ts'
import type { Exchange } from '#http/exchange.ts'
import type { Bucket } from './bucket.ts'
import { describeStored, respondJson } from './respond.ts'

const LIMIT_LISTED = 1000

/** The objects whose keys begin with a prefix, a page at a time: `?prefix=`, `?delimiter=`, `?after=`, `?limit=`. */
export async function listObjects(
  bucket: Bucket,
  exchange: Exchange,
  { prefix, query }: { readonly prefix: string; readonly query: URLSearchParams },
): Promise<void> {
  const { objects, prefixes, next } = (await bucket.reader()).list({
    prefix,
    after: query.get('after') ?? '',
    delimiter: query.get('delimiter') ?? '',
    limit: limitOf(query.get('limit')),
  })
  respondJson(exchange, 200, { prefix, objects: objects.map(describeStored), prefixes, next })
}

/** The versions of one object, the newest first; a mark of deletion says so. */
export async function listVersions(bucket: Bucket, exchange: Exchange, key: string): Promise<void> {
  const versions = (await bucket.reader()).versionsOf(key, LIMIT_LISTED)
  respondJson(exchange, 200, {
    key,
    versions: versions.map((stored) =>
      stored.sha256 === ''
        ? {
            version: printVersion(stored.version),
            created: new Date(stored.createdMs).toISOString(),
            isDeleted: true,
          }
        : describeStored(stored),
    ),
  })
}

function limitOf(text: string | null): number {
  const limit = Number(text ?? LIMIT_LISTED)
  return Number.isInteger(limit) && limit > 0 ? Math.min(limit, LIMIT_LISTED) : LIMIT_LISTED
}
