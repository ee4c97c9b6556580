import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { About, PutObject } from '#bucket/store/change.ts'
import type { Finished } from '#bucket/store/draft.ts'
import { conditionsOf, judgeObject, receiveDraft, refuseEarly } from '#bucket/store/store.ts'
import type { Exchange, Source } from '#http/exchange.ts'
import type { Bucket } from './bucket.ts'
import { contentOf } from './content.ts'
import { describeStored, faultOf, type Lines, respondEmpty, respondJson } from './respond.ts'
import { isMediaType, isTypeOf } from './type.ts'
import { type BodyReader, Fault, required, type ToldFile } from './wire/body.ts'
import { verifyDigest } from './wire/digest.ts'
import { parseParameters } from './wire/disposition.ts'
import { FormUpload } from './wire/form-upload.ts'
import { JsonUpload } from './wire/json-upload.ts'
import { fileName, judgeKey, pathOfKey } from './wire/key.ts'
import { isBoundary, MultipartReader } from './wire/multipart.ts'

export type Posted = {
  /** key of the target: of a folder when it ends with a slash or is empty */
  readonly key: string
  readonly query: URLSearchParams
  /** for who watches the progress */
  readonly label: string
}

/** POST: files of a form, in any of its encodings, or the content itself, become objects below the target. */
export async function receivePost(bucket: Bucket, exchange: Exchange, posted: Posted): Promise<void> {
  const { fields } = exchange.request
  const body = contentOf(exchange.request)
  if (body === null) throw new Fault(400, 'there is no content to store')
  const type = fields.get('content-type') ?? 'application/octet-stream'
  const reader = readerOf(type, body, bucket)
  if (reader === null) return receiveRaw(bucket, exchange, { ...posted, body, type })
  const files: Finished[] = []
  try {
    await receiveFiles(bucket, reader, files, posted.label)
    await readOver(body)
    await storeAll(bucket, exchange, { posted, reader, files })
  } finally {
    for (const { path } of files) await rm(path, { force: true })
  }
}

/** What reads a body of this type; null when the body is the object itself. */
function readerOf(type: string, body: Source, { plan }: Bucket): BodyReader | null {
  if (!isMediaType(type)) throw new Fault(415, 'the Content-Type is no media type')
  const { value, parameters } = parseParameters(type)!
  if (value === 'multipart/form-data') {
    const boundary = parameters.get('boundary') ?? ''
    if (!isBoundary(boundary))
      throw new Fault(400, 'multipart/form-data needs a boundary of 1 to 70 characters')
    return new MultipartReader(body, boundary, plan)
  }
  if (value === 'application/json') return new JsonUpload(body, randomBytes(18).toString('hex'), plan)
  if (value === 'application/x-www-form-urlencoded') return new FormUpload(body, plan)
  return null
}

async function receiveFiles(
  bucket: Bucket,
  reader: BodyReader,
  files: Finished[],
  label: string,
): Promise<void> {
  for (let part = await reader.next(); part !== null; part = await reader.next()) {
    if (part.type !== null && !isTypeOf(part.type, bucket.plan.types)) {
      throw new Fault(415, `the type ${part.type} is not taken here`)
    }
    files.push(await receiveDraft(bucket, part, label))
  }
}

/** RFC 2046 §5.1.1: what follows the last boundary is nobody's; but not much of it. */
async function readOver(body: Source): Promise<void> {
  let octets = 0
  for (let part = await body.read(READ_OCTETS); part !== null; part = await body.read(READ_OCTETS)) {
    octets += part.length
    if (octets > LIMIT_EPILOGUE) throw new Fault(400, 'much follows the end of the form')
  }
}

type Received = { readonly posted: Posted; readonly reader: BodyReader; readonly files: Finished[] }

async function storeAll(
  bucket: Bucket,
  exchange: Exchange,
  { posted, reader, files }: Received,
): Promise<void> {
  const told = reader.conclude()
  if (files.length === 0)
    files.push(await receiveDraft(bucket, once(Buffer.from(JSON.stringify(told.fields)))))
  const objects: PutObject[] = []
  for (const [i, finished] of files.entries()) {
    const file = told.files[i] ?? {
      field: '',
      name: `${randomBytes(9).toString('base64url')}.json`,
      type: 'application/json',
    }
    const object = await objectOf(bucket, posted.key, { file, finished, fields: told.fields })
    objects.push(object)
  }
  await store(bucket, exchange, objects, posted, told.fields)
}

function objectOf(
  bucket: Bucket,
  target: string,
  { file, finished, fields }: { file: ToldFile; finished: Finished; fields: unknown },
): Promise<PutObject> {
  const name = fileName(file.name ?? '') ?? fileName(file.field) ?? randomBytes(9).toString('base64url')
  const isFolder = target === '' || target.endsWith('/')
  const key = required(judgeKey(isFolder ? target + name : `${target}/${name}`))
  const declared = file.type !== null && isMediaType(file.type) ? file.type : null
  const about: About = { name: file.name === null ? null : name, fields, headers: [] }
  return judgeObject(bucket, { key, finished, declared, about, taken: 'rename' })
}

/** Octets as they are: the name stands in Content-Disposition or in the target. */
async function receiveRaw(
  bucket: Bucket,
  exchange: Exchange,
  posted: Posted & { readonly body: Source; readonly type: string },
): Promise<void> {
  const { fields, lengthOctets } = exchange.request
  refuseEarly(bucket, lengthOctets, posted.type)
  const disposition = parseParameters(
    Buffer.from(fields.get('content-disposition') ?? '', 'latin1').toString('utf8'),
  )
  const said = fileName(disposition?.parameters.get('filename') ?? '')
  const isFolder = posted.key === '' || posted.key.endsWith('/')
  const key = isFolder
    ? required(judgeKey(posted.key + (said ?? randomBytes(9).toString('base64url'))))
    : posted.key
  const finished = await receiveDraft(bucket, { read: () => posted.body.read(READ_OCTETS) }, posted.label)
  try {
    verifyDigest(fields, finished.sha256)
    const about: About = { name: said ?? null, fields: null, headers: [] }
    const object = await judgeObject(bucket, { key, finished, declared: posted.type, about, taken: 'rename' })
    await store(bucket, exchange, [object], posted, null)
  } finally {
    await rm(finished.path, { force: true })
  }
}

async function store(
  bucket: Bucket,
  exchange: Exchange,
  objects: readonly PutObject[],
  { query }: Posted,
  fields: unknown,
): Promise<void> {
  const conditions = conditionsOf(exchange.request.fields)
  const outcome = await bucket.change({ kind: 'put', objects, conditions })
  if (outcome.kind !== 'stored') throw faultOf(outcome)
  const location: Lines =
    outcome.objects.length === 1 ? [['Location', pathOfKey(outcome.objects[0]!.key)]] : []
  // A path on the same host, or nothing: a form must not send people elsewhere.
  const then = /^\/(?![/\\])[\x21-\x7e]*$/.exec(query.get('then') ?? '')?.[0]
  if (then !== undefined) return respondEmpty(exchange, 303, [['Location', then]])
  respondJson(exchange, 201, { objects: outcome.objects.map(describeStored), fields }, location)
}

function once(octets: Uint8Array): { read(): Uint8Array | null } {
  let next: Uint8Array | null = octets
  return {
    read() {
      const given = next
      next = null
      return given
    },
  }
}

const READ_OCTETS = 262_144
const LIMIT_EPILOGUE = 65_536
