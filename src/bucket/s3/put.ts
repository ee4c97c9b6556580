import { createHash, type Hash } from 'node:crypto'
import {
  type About,
  type Conditions,
  etagOf,
  parseVersion,
  printVersion,
  type Stored,
} from '#bucket/store/change.ts'
import type { Finished } from '#bucket/store/draft.ts'
import { conditionsOf, type Octets } from '#bucket/store/store.ts'
import type { Request } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { sourceOf } from '#http/wire/octets-source.ts'
import { contentOf } from '../content.ts'
import { aboutOf, storeContent } from '../put.ts'
import { faultOf, type Lines } from '../respond.ts'
import { AwsChunked } from '../wire/aws-chunked.ts'
import { Fault } from '../wire/body.ts'
import { type Crc, createCrc32, createCrc32c, createCrc64 } from '../wire/crc.ts'
import { ChunkSigner, UNSIGNED } from '../wire/sigv4.ts'
import { requireRight, type S3Request, splitPath } from './request.ts'
import { respondXml } from './respond.ts'

/** PutObject. */
export async function putObject(asked: S3Request): Promise<void> {
  const { bucket, exchange, key } = asked
  const { fields } = exchange.request
  const { octets, lengthOctets, verify } = signedContent(asked)
  const about = s3AboutOf(fields)
  const { stored } = await storeContent(bucket, {
    key,
    fields,
    octets,
    lengthOctets,
    about,
    label: '',
    verify,
  })
  exchange.respond({ status: 200, fields: fieldsOf(storedLines(asked, stored)), lengthOctets: 0 }, null)
}

/** CopyObject. */
export async function copyObject(asked: S3Request): Promise<void> {
  const { bucket, exchange, key } = asked
  const { fields, host } = exchange.request
  const [path = '', version] = (fields.get('x-amz-copy-source') ?? '').split('?versionId=', 2)
  const { name, key: source } = splitPath(path.startsWith('/') ? path : `/${path}`)
  if (name !== host.split('.')[0]) throw new Fault(404, `there is no bucket "${name}" on this host`)
  requireRight(asked, 'read', source)
  const isReplaced = fields.get('x-amz-metadata-directive')?.toUpperCase() === 'REPLACE'
  if (source === key && version === undefined && !isReplaced)
    throw new Fault(400, 'an object is copied onto itself only for other metadata')
  const outcome = await bucket.change({
    kind: 'copy',
    from: { key: source, version: version === undefined ? null : parseVersion(version) },
    to: key,
    about: isReplaced ? s3AboutOf(fields) : null,
    type: isReplaced ? (fields.get('content-type') ?? null) : null,
    conditions: conditionsOf(fields),
    sourceConditions: sourceConditionsOf(fields),
  })
  if (outcome.kind !== 'stored') throw faultOf(outcome)
  const stored = outcome.objects[0]!
  const result = { LastModified: new Date(stored.createdMs).toISOString(), ETag: etagOf(stored) }
  respondXml(exchange, 200, 'CopyObjectResult', result, versionLines(asked, stored))
}

/** The content of a request as its signature says, and a check of what has arrived of it. */
export function signedContent({ exchange, signature, secret }: S3Request): {
  readonly octets: Octets
  readonly lengthOctets: number | null
  readonly verify: (finished: Finished) => void
} {
  const { fields, lengthOctets } = exchange.request
  const source = contentOf(exchange.request) ?? sourceOf(new Uint8Array(0))
  const { contentHash } = signature
  const isChunked = contentHash.startsWith('STREAMING-')
  const isSignedInChunks = contentHash.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')
  if (isChunked && !isSignedInChunks && contentHash !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    throw new Fault(501, `the content is signed as ${contentHash}, which is not offered`)
  }
  const chunked = isChunked
    ? new AwsChunked(source, isSignedInChunks ? new ChunkSigner(signature, secret) : null)
    : null
  const checks = checksOf(fields)
  const read = async (): Promise<Uint8Array | null> => {
    const octets = chunked === null ? await source.read(READ_OCTETS) : await chunked.read()
    if (octets !== null) for (const check of checks.values()) check.update(octets)
    return octets
  }
  const decodedLength = isChunked
    ? Number(fields.get('x-amz-decoded-content-length') ?? Number.NaN)
    : lengthOctets
  const verify = (finished: Finished): void => {
    const isHash = /^[0-9a-f]{64}$/.test(contentHash)
    if (isHash && finished.sha256 !== contentHash) throw BAD_DIGEST
    if (!isHash && !isChunked && contentHash !== UNSIGNED)
      throw new Fault(400, 'x-amz-content-sha256 is no hash')
    if (isChunked && finished.octets !== decodedLength)
      throw new Fault(400, 'the content has another length than it says')
    for (const [name, check] of checks) {
      const said = chunked?.trailers.get(name) ?? fields.get(name)
      if (said === undefined) throw new Fault(400, `the trailer ${name} was announced and did not come`)
      if (said !== check.digest()) throw BAD_DIGEST
    }
  }
  return { octets: { read }, lengthOctets: Number.isNaN(decodedLength) ? null : decodedLength, verify }
}

type Check = { update(octets: Uint8Array): void; digest(): string }

/** What a client wants compared, by the name of its field. */
function checksOf(fields: Request['fields']): Map<string, Check> {
  const named = fields.all('x-amz-trailer').flatMap((value) => value.toLowerCase().split(/[ ,]+/))
  const wanted = [...CHECKS].filter(([name]) => named.includes(name) || fields.get(name) !== undefined)
  return new Map(wanted.map(([name, create]) => [name, create()]))
}

const CHECKS: ReadonlyMap<string, () => Check> = new Map([
  ['content-md5', () => hashCheck(createHash('md5'))],
  ['x-amz-checksum-sha1', () => hashCheck(createHash('sha1'))],
  ['x-amz-checksum-sha256', () => hashCheck(createHash('sha256'))],
  ['x-amz-checksum-crc32', () => crcCheck(createCrc32())],
  ['x-amz-checksum-crc32c', () => crcCheck(createCrc32c())],
  ['x-amz-checksum-crc64nvme', () => crcCheck(createCrc64())],
])

function hashCheck(hash: Hash): Check {
  return { update: (octets) => void hash.update(octets), digest: () => hash.digest('base64') }
}

function crcCheck(crc: Crc): Check {
  return { update: crc.update, digest: () => crc.digest().toString('base64') }
}

/** What is kept beside an object: what HTTP has, and the metadata of its owner. */
export function s3AboutOf(fields: Request['fields']): About {
  const metadata: [string, string][] = []
  let octets = 0
  fields.each((name, value) => {
    if (!name.toLowerCase().startsWith('x-amz-meta-')) return
    octets += name.length + value.length
    metadata.push([name.toLowerCase(), value])
  })
  if (octets > LIMIT_METADATA) throw new Fault(400, `the metadata is larger than ${LIMIT_METADATA} octets`)
  const { headers } = aboutOf(fields)
  const kept = headers.map(
    ([name, value]) => [name, name === 'Content-Encoding' ? withoutChunked(value) : value] as const,
  )
  return { name: null, fields: null, headers: [...kept.filter(([, value]) => value !== ''), ...metadata] }
}

/** `aws-chunked` is of the request, not of the object. */
function withoutChunked(coding: string): string {
  return coding
    .split(/\s*,\s*/)
    .filter((token) => token !== 'aws-chunked')
    .join(', ')
}

/** ETag, and the version where there are versions. */
export function storedLines(asked: S3Request, stored: Stored): Lines {
  return [['ETag', etagOf(stored)], ...versionLines(asked, stored)]
}

function versionLines({ bucket }: S3Request, { version }: Stored): Lines {
  return bucket.plan.versions ? [['x-amz-version-id', printVersion(version)]] : []
}

function sourceConditionsOf(fields: Request['fields']): Conditions {
  return ['if-match', 'if-none-match', 'if-unmodified-since', 'if-modified-since'].flatMap((name) => {
    const value = fields.get(`x-amz-copy-source-${name}`)
    return value === undefined ? [] : [[name, value] as const]
  })
}

const BAD_DIGEST = new Fault(400, 'the digest of what arrived is another one than the client says')
const READ_OCTETS = 262_144
/** as S3 has it */
const LIMIT_METADATA = 2048
