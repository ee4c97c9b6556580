import { parseVersion, printVersion } from '#bucket/store/change.ts'
import { conditionsOf } from '#bucket/store/store.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { isRefusal } from '#http/wire/refusal.ts'
import { faultOf, type Lines } from '../respond.ts'
import { Fault } from '../wire/body.ts'
import { judgeKey } from '../wire/key.ts'
import { elementsOf, textOfElement, type Xml } from '../wire/xml.ts'
import { readDocument } from './document.ts'
import type { S3Request } from './request.ts'
import { respondXml } from './respond.ts'

/** DeleteObject: also what is not there is gone then. */
export async function deleteOne({ bucket, exchange, query, key }: S3Request): Promise<void> {
  const written = query.get('versionId')
  const version = written === null ? null : parseVersion(written)
  const conditions = conditionsOf(exchange.request.fields)
  const outcome = await bucket.change({ kind: 'delete', key, version, conditions })
  if (outcome.kind !== 'deleted') throw faultOf(outcome)
  const lines: Lines =
    outcome.mark === null
      ? version === null
        ? []
        : [['x-amz-version-id', printVersion(version)]]
      : [
          ['x-amz-delete-marker', 'true'],
          ['x-amz-version-id', printVersion(outcome.mark.version)],
        ]
  exchange.respond({ status: 204, fields: fieldsOf(lines), lengthOctets: 0 }, null)
}

/** DeleteObjects: up to 1000 in one request. */
export async function deleteMany(asked: S3Request): Promise<void> {
  const { bucket, exchange, asker } = asked
  const document = await readDocument(asked)
  const wanted = elementsOf(document, 'Object')
  if (wanted.length === 0 || wanted.length > LIMIT_OBJECTS)
    throw new Fault(400, `XML names 1 to ${LIMIT_OBJECTS} objects`)
  const results = await Promise.all(
    wanted.map(async (element): Promise<{ deleted?: Xml; error?: Xml }> => {
      const key = judgeKey(textOfElement(element, 'Key') ?? '')
      if (isRefusal(key)) return { error: { Code: 'InvalidRequest', Message: key.reason } }
      const refusal = bucket.refuses('write', key, asker)
      if (refusal !== null) return { error: { Key: key, Code: 'AccessDenied', Message: refusal.reason } }
      const written = textOfElement(element, 'VersionId')
      const version = written === undefined ? null : parseVersion(written)
      const outcome = await bucket.change({ kind: 'delete', key, version, conditions: [] })
      if (outcome.kind !== 'deleted')
        return { error: { Key: key, Code: 'InternalError', Message: outcome.kind } }
      const { mark } = outcome
      const marked = mark && { DeleteMarker: true, DeleteMarkerVersionId: printVersion(mark.version) }
      return { deleted: { Key: key, VersionId: written, ...marked } }
    }),
  )
  const isQuiet = textOfElement(document, 'Quiet') === 'true'
  respondXml(exchange, 200, 'DeleteResult', {
    Deleted: isQuiet ? undefined : results.flatMap(({ deleted }) => deleted ?? []),
    Error: results.flatMap(({ error }) => error ?? []),
  })
}

const LIMIT_OBJECTS = 1000
