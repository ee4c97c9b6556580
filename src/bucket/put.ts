import { rm } from 'node:fs/promises'
import type { Exchange } from '#http/exchange.ts'
import { sourceOf } from '#http/wire/octets-source.ts'
import { isRefusal, refuse } from '#http/wire/refusal.ts'
import type { Asker } from './admit.ts'
import type { Bucket } from './bucket.ts'
import { type About, etagOf } from './change.ts'
import { describeStored, NOT_FOUND, refusalOf, respondEmpty, respondJson, respondRefusal } from './respond.ts'
import { conditionsOf, judgeObject, receiveDraft, refuseEarly } from './store.ts'
import { isMediaType } from './type.ts'
import { keyOfPath, pathOfKey } from './wire/key.ts'

/** PUT: the content becomes the object (RFC 9110 §9.3.4). */
export async function putObject(
  bucket: Bucket,
  exchange: Exchange,
  key: string,
  label: string,
): Promise<void> {
  const { fields, lengthOctets, body } = exchange.request
  // RFC 9110 §14.4: a part must not be taken for the whole.
  if (fields.get('content-range') !== undefined) {
    return respondRefusal(exchange, refuse(400, 'PUT stores the whole object, not a part of it'))
  }
  const declared = fields.get('content-type') ?? null
  if (declared !== null && !isMediaType(declared))
    return respondRefusal(exchange, refuse(415, 'the Content-Type is no media type'))
  const refusal = refuseEarly(bucket, lengthOctets, declared) ?? (await failsAlready(bucket, exchange, key))
  if (refusal !== null) return respondRefusal(exchange, refusal)
  const source = body ?? sourceOf(new Uint8Array(0))
  const finished = await receiveDraft(bucket, { read: () => source.read(READ_OCTETS) }, label)
  try {
    const object = await judgeObject(bucket, {
      key,
      finished,
      declared,
      about: aboutOf(fields),
      taken: 'replace',
    })
    if (isRefusal(object)) return respondRefusal(exchange, object)
    const outcome = await bucket.change({ kind: 'put', objects: [object], conditions: conditionsOf(fields) })
    if (outcome.kind !== 'stored') return respondRefusal(exchange, refusalOf(outcome))
    const [stored] = outcome.objects
    const lines = [
      ['ETag', etagOf(stored!)],
      ['Location', pathOfKey(stored!.key)],
    ] as const
    respondJson(exchange, outcome.isNew ? 201 : 200, describeStored(stored!), lines)
  } finally {
    await rm(finished.path, { force: true })
  }
}

/** A precondition that fails now spares the client the content; it is looked at again when the object is stored. */
async function failsAlready(bucket: Bucket, { request }: Exchange, key: string) {
  if (conditionsOf(request.fields).length === 0) return null
  const stored = (await bucket.reader()).find(key, null)
  const isFailing =
    (request.fields.get('if-none-match') === '*' && stored !== null) ||
    (request.fields.get('if-match') !== undefined && stored === null)
  return isFailing ? refusalOf({ kind: 'precondition failed' }) : null
}

/** COPY with a Destination on the same host (RFC 4918 §9.8). */
export async function copyObject(
  bucket: Bucket,
  exchange: Exchange,
  key: string,
  asker: Asker,
): Promise<void> {
  const { fields, host } = exchange.request
  const destination = fields.get('destination') ?? ''
  const url = URL.canParse(destination, `https://${host}`) ? new URL(destination, `https://${host}`) : null
  if (destination === '' || url === null || url.hostname !== host) {
    return respondRefusal(exchange, refuse(400, 'COPY needs a Destination on this host'))
  }
  const to = keyOfPath(url.pathname)
  if (isRefusal(to)) return respondRefusal(exchange, to)
  const refusal = bucket.refuses('write', to, asker)
  if (refusal !== null) return respondRefusal(exchange, refusal)
  const overwrites = fields.get('overwrite')?.toUpperCase() !== 'F'
  const outcome = await bucket.change({
    kind: 'copy',
    from: { key, version: null },
    to,
    about: null,
    type: null,
    conditions: overwrites ? [] : [['if-none-match', '*']],
    sourceConditions: conditionsOf(fields),
  })
  if (outcome.kind !== 'stored') return respondRefusal(exchange, refusalOf(outcome))
  respondEmpty(exchange, outcome.isNew ? 201 : 204, [['Location', pathOfKey(to)]])
}

/** DELETE (RFC 9110 §9.3.5). */
export async function deleteObject(
  bucket: Bucket,
  exchange: Exchange,
  key: string,
  version: number | null,
): Promise<void> {
  const conditions = conditionsOf(exchange.request.fields)
  const outcome = await bucket.change({ kind: 'delete', key, version, conditions })
  if (outcome.kind !== 'deleted') return respondRefusal(exchange, refusalOf(outcome))
  if (outcome.was === null && outcome.mark === null && version === null)
    return respondRefusal(exchange, NOT_FOUND)
  respondEmpty(exchange, 204)
}

/** Field lines that are kept with an object and said with it. */
export function aboutOf(fields: { get(name: string): string | undefined }): About {
  const headers = KEPT.flatMap((name) => {
    const value = fields.get(name.toLowerCase())
    return value === undefined ? [] : [[name, value] as const]
  })
  return { name: null, fields: null, headers }
}

const KEPT = ['Cache-Control', 'Content-Disposition', 'Content-Encoding', 'Content-Language', 'Expires']
const READ_OCTETS = 262_144
