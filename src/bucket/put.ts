import { rm } from 'node:fs/promises'
import { type About, type Conditions, etagOf, type Stored } from '#bucket/store/change.ts'
import type { Finished } from '#bucket/store/draft.ts'
import { conditionsOf, judgeObject, type Octets, receiveDraft, refuseEarly } from '#bucket/store/store.ts'
import type { Exchange, Request } from '#http/exchange.ts'
import { sourceOf } from '#http/wire/octets-source.ts'
import type { Asker } from './admit.ts'
import type { Bucket } from './bucket.ts'
import { contentOf } from './content.ts'
import { describeStored, faultOf, respondEmpty, respondJson } from './respond.ts'
import { isMediaType } from './type.ts'
import { Fault, required } from './wire/body.ts'
import { verifyDigest } from './wire/digest.ts'
import { keyOfPath, pathOfKey } from './wire/key.ts'

/** PUT: the content becomes the object (RFC 9110 §9.3.4). */
export async function putObject(
  bucket: Bucket,
  exchange: Exchange,
  { key, label }: { readonly key: string; readonly label: string },
): Promise<void> {
  const { fields, lengthOctets } = exchange.request
  const source = contentOf(exchange.request) ?? sourceOf(new Uint8Array(0))
  const { stored, isNew } = await storeContent(bucket, {
    key,
    fields,
    octets: { read: () => source.read(READ_OCTETS) },
    lengthOctets,
    about: aboutOf(fields),
    label,
    verify: ({ sha256 }) => verifyDigest(fields, sha256),
  })
  const lines = [
    ['ETag', etagOf(stored)],
    ['Location', pathOfKey(key)],
  ] as const
  respondJson(exchange, isNew ? 201 : 200, describeStored(stored), lines)
}

export type Content = {
  readonly key: string
  /** of the request: Content-Type and preconditions */
  readonly fields: Request['fields']
  readonly octets: Octets
  readonly lengthOctets: number | null
  readonly about: About
  readonly label: string
  /** Throws when what has arrived is not what the client says that it sent. */
  readonly verify?: (finished: Finished) => void
}

/**
 * Receive an object and store it.
 *
 * @throws {Fault} when it is not taken; nothing is left of it then
 */
export async function storeContent(
  bucket: Bucket,
  content: Content,
): Promise<{ readonly stored: Stored; readonly isNew: boolean }> {
  const { key, fields, octets, lengthOctets, about, label, verify } = content
  // RFC 9110 §14.4: a part must not be taken for the whole.
  if (fields.get('content-range') !== undefined)
    throw new Fault(400, 'PUT stores the whole object, not a part of it')
  const declared = fields.get('content-type') ?? null
  if (declared !== null && !isMediaType(declared)) throw new Fault(415, 'the Content-Type is no media type')
  const conditions = conditionsOf(fields)
  refuseEarly(bucket, lengthOctets, declared)
  await failEarly(bucket, key, conditions)
  const finished = await receiveDraft(bucket, octets, label)
  try {
    verify?.(finished)
    const object = await judgeObject(bucket, { key, finished, declared, about, taken: 'replace' })
    const outcome = await bucket.change({ kind: 'put', objects: [object], conditions })
    if (outcome.kind !== 'stored') throw faultOf(outcome)
    return { stored: outcome.objects[0]!, isNew: outcome.isNew }
  } finally {
    await rm(finished.path, { force: true })
  }
}

/** A precondition that fails now spares the client the content; it is looked at again when the object is stored. */
async function failEarly(bucket: Bucket, key: string, conditions: Conditions): Promise<void> {
  if (conditions.length === 0) return
  const exists = (await bucket.reader()).find(key, null) !== null
  const isFailing = conditions.some(([name, value]) =>
    name === 'if-match' ? !exists : name === 'if-none-match' && value === '*' && exists,
  )
  if (isFailing) throw faultOf({ kind: 'precondition failed' })
}

/** COPY with a Destination on the same host (RFC 4918 §9.8). */
export async function copyObject(
  bucket: Bucket,
  exchange: Exchange,
  { key, asker }: { readonly key: string; readonly asker: Asker },
): Promise<void> {
  const { fields, host } = exchange.request
  const destination = fields.get('destination') ?? ''
  const base = `https://${host}`
  const url = URL.canParse(destination, base) ? new URL(destination, base) : null
  if (destination === '' || url?.hostname !== host)
    throw new Fault(400, 'COPY needs a Destination on this host')
  const to = required(keyOfPath(url.pathname))
  required(bucket.refuses('write', to, asker))
  const outcome = await bucket.change({
    kind: 'copy',
    from: { key, version: null },
    to,
    about: null,
    type: null,
    conditions: fields.get('overwrite')?.toUpperCase() === 'F' ? [['if-none-match', '*']] : [],
    sourceConditions: conditionsOf(fields),
  })
  if (outcome.kind !== 'stored') throw faultOf(outcome)
  respondEmpty(exchange, outcome.isNew ? 201 : 204, [['Location', pathOfKey(to)]])
}

/** DELETE (RFC 9110 §9.3.5). */
export async function deleteObject(
  bucket: Bucket,
  exchange: Exchange,
  { key, version }: { readonly key: string; readonly version: number | null },
): Promise<void> {
  const conditions = conditionsOf(exchange.request.fields)
  const outcome = await bucket.change({ kind: 'delete', key, version, conditions })
  if (outcome.kind !== 'deleted') throw faultOf(outcome)
  if (outcome.was === null && outcome.mark === null && version === null) throw faultOf({ kind: 'not found' })
  respondEmpty(exchange, 204)
}

/** Field lines that are kept with an object and said with it. */
export function aboutOf(fields: Request['fields']): About {
  const headers = KEPT.flatMap((name) => {
    const value = fields.get(name.toLowerCase())
    return value === undefined ? [] : [[name, value] as const]
  })
  return { name: null, fields: null, headers }
}

const KEPT = ['Cache-Control', 'Content-Disposition', 'Content-Encoding', 'Content-Language', 'Expires']
const READ_OCTETS = 262_144
