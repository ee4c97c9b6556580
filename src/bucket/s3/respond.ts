import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import type { Lines } from '../respond.ts'
import type { Fault } from '../wire/body.ts'
import { formatXml, type Xml } from '../wire/xml.ts'

/** Answer with a document of S3. */
export function respondXml(
  exchange: Exchange,
  status: number,
  root: string,
  content: Xml,
  more: Lines = [],
): void {
  const body = Buffer.from(formatXml(root, content))
  const fields = fieldsOf([['Content-Type', 'application/xml'], ['Cache-Control', 'no-store'], ...more])
  exchange.respond({ status, fields, lengthOctets: body.length }, body)
}

/** Say what went wrong in the words that S3 clients know. */
export function respondS3Fault(exchange: Exchange, { refusal, lines }: Fault): void {
  const { status, reason } = refusal
  respondXml(exchange, status, 'Error', { Code: codeOf(status, reason), Message: reason }, lines)
}

function codeOf(status: number, reason: string): string {
  return CODES.find(([of, words]) => of === status && reason.includes(words))?.[2] ?? 'InternalError'
}

/** The first line that fits decides. */
const CODES: readonly (readonly [status: number, words: string, code: string])[] = [
  [400, 'digest', 'BadDigest'],
  [400, 'is smaller than', 'EntityTooSmall'],
  [400, '"', 'InvalidArgument'],
  [400, 'order', 'InvalidPartOrder'],
  [400, 'has not arrived', 'InvalidPart'],
  [400, 'XML', 'MalformedXML'],
  [400, '', 'InvalidRequest'],
  [401, '', 'AccessDenied'],
  [403, 'access key is not known', 'InvalidAccessKeyId'],
  [403, 'signature is not right', 'SignatureDoesNotMatch'],
  [403, 'too far from now', 'RequestTimeTooSkewed'],
  [403, '', 'AccessDenied'],
  [404, 'upload', 'NoSuchUpload'],
  [404, 'bucket', 'NoSuchBucket'],
  [404, '', 'NoSuchKey'],
  [412, '', 'PreconditionFailed'],
  [413, '', 'EntityTooLarge'],
  [414, '', 'KeyTooLongError'],
  [415, '', 'InvalidArgument'],
  [416, '', 'InvalidRange'],
  [423, '', 'OperationAborted'],
  [501, '', 'NotImplemented'],
  [507, '', 'QuotaExceeded'],
]
