import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { etagOf } from '#bucket/store/change.ts'
import { FileOctets } from '#bucket/store/file-octets.ts'
import { conditionsOf, judgeObject, receiveDraft } from '#bucket/store/store.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { faultOf } from '../respond.ts'
import { Fault } from '../wire/body.ts'
import { elementsOf, textOfElement } from '../wire/xml.ts'
import { readDocument } from './document.ts'
import { createPieces, keepPiece, listPieces, type Piece, readPieces, removePieces } from './pieces.ts'
import { s3AboutOf, signedContent, storedLines } from './put.ts'
import type { S3Request } from './request.ts'
import { respondXml } from './respond.ts'

/** CreateMultipartUpload. */
export async function createParts({ bucket, exchange, key }: S3Request): Promise<void> {
  const { fields } = exchange.request
  await bucket.reader()
  const id = randomBytes(18).toString('base64url')
  const declared = fields.get('content-type') ?? null
  await createPieces(bucket.paths.uploads, id, { key, declared, about: s3AboutOf(fields) })
  respondXml(exchange, 200, 'InitiateMultipartUploadResult', { ...named(exchange, key), UploadId: id })
}

/** UploadPart. */
export async function putPart(asked: S3Request, id: string): Promise<void> {
  const { bucket, exchange, query, key } = asked
  const { uploads } = bucket.paths
  if (exchange.request.fields.get('x-amz-copy-source') !== undefined)
    throw new Fault(501, 'parts are not copied')
  const number = Number(query.get('partNumber') ?? Number.NaN)
  if (!Number.isInteger(number) || number < 1 || number > LIMIT_PARTS) {
    throw new Fault(400, `"partNumber" is 1 to ${LIMIT_PARTS}`)
  }
  await readPieces(uploads, id, key)
  const { octets, verify } = signedContent(asked)
  const finished = await receiveDraft(bucket, octets)
  try {
    verify(finished)
    await keepPiece(uploads, id, number, finished).catch(() => {
      throw new Fault(404, 'the upload is over')
    })
  } finally {
    await rm(finished.path, { force: true })
  }
  exchange.respond({ status: 200, fields: fieldsOf([['ETag', etagOf(finished)]]), lengthOctets: 0 }, null)
}

/** ListParts. */
export async function listParts({ bucket, exchange, key }: S3Request, id: string): Promise<void> {
  await readPieces(bucket.paths.uploads, id, key)
  const pieces = await listPieces(bucket.paths.uploads, id)
  respondXml(exchange, 200, 'ListPartsResult', {
    ...named(exchange, key),
    UploadId: id,
    IsTruncated: false,
    Part: pieces.map((piece) => ({ PartNumber: piece.number, ETag: etagOf(piece), Size: piece.octets })),
  })
}

/** CompleteMultipartUpload: the parts are read once more, for the hash of the whole. */
export async function completeParts(asked: S3Request, id: string): Promise<void> {
  const { bucket, exchange, key } = asked
  const { uploads } = bucket.paths
  const { declared, about } = await readPieces(uploads, id, key)
  const document = await readDocument(asked)
  const lock = await bucket.change({ kind: 'lock', id, worker: bucket.worker })
  if (lock.kind === 'locked') throw faultOf(lock)
  try {
    const pieces = choosePieces(document, await listPieces(uploads, id))
    const octets = new FileOctets(pieces.map(({ path }) => path))
    const finished = await receiveDraft(bucket, octets).finally(() => octets.close())
    try {
      const object = await judgeObject(bucket, { key, finished, declared, about, taken: 'replace' })
      const conditions = conditionsOf(exchange.request.fields)
      const outcome = await bucket.change({ kind: 'put', objects: [object], conditions })
      if (outcome.kind !== 'stored') throw faultOf(outcome)
      await removePieces(uploads, id)
      const stored = outcome.objects[0]!
      const result = { ...named(exchange, key), ETag: etagOf(stored) }
      respondXml(exchange, 200, 'CompleteMultipartUploadResult', result, storedLines(asked, stored))
    } finally {
      await rm(finished.path, { force: true })
    }
  } finally {
    await bucket.change({ kind: 'unlock', id })
  }
}

/** AbortMultipartUpload. */
export async function abortParts({ bucket, exchange, key }: S3Request, id: string): Promise<void> {
  await readPieces(bucket.paths.uploads, id, key)
  await removePieces(bucket.paths.uploads, id)
  exchange.respond({ status: 204, fields: fieldsOf([]), lengthOctets: 0 }, null)
}

function choosePieces(document: string, pieces: readonly Piece[]): Piece[] {
  const wanted = elementsOf(document, 'Part').map((element) => ({
    number: Number(textOfElement(element, 'PartNumber')),
    etag: textOfElement(element, 'ETag')?.replaceAll('"', ''),
  }))
  if (wanted.length === 0) throw new Fault(400, 'XML names no part')
  if (wanted.some(({ number }, i) => i > 0 && number <= wanted[i - 1]!.number))
    throw new Fault(400, 'the parts are not in their order')
  return wanted.map(({ number, etag }, i) => {
    const piece = pieces.find((one) => one.number === number && etagOf(one).replaceAll('"', '') === etag)
    if (piece === undefined) throw new Fault(400, `part ${number} has not arrived`)
    if (i < wanted.length - 1 && piece.octets < LEAST_PART_OCTETS)
      throw new Fault(400, `part ${number} is smaller than ${LEAST_PART_OCTETS} octets, and not the last one`)
    return piece
  })
}

function named({ request }: S3Request['exchange'], key: string): { Bucket: string | undefined; Key: string } {
  return { Bucket: request.host.split('.')[0], Key: key }
}

const LIMIT_PARTS = 10_000
/** as S3 has it */
const LEAST_PART_OCTETS = 5 * 2 ** 20
