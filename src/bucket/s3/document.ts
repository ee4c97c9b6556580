import { createHash } from 'node:crypto'
import type { Finished } from '#bucket/store/draft.ts'
import { Fault, textOf } from '../wire/body.ts'
import { signedContent } from './put.ts'
import type { S3Request } from './request.ts'

/** a thousand keys of a thousand octets, and what stands around them */
const LIMIT_OCTETS = 2 ** 21

/**
 * The document that a request brings.
 *
 * @throws {Fault} when it is too large, has a document type, or is not what was signed
 */
export async function readDocument(asked: S3Request): Promise<string> {
  const { octets, verify } = signedContent(asked)
  const pieces: Buffer[] = []
  let length = 0
  for (let part = await octets.read(); part !== null; part = await octets.read()) {
    length += part.length
    if (length > LIMIT_OCTETS) throw new Fault(413, `XML is larger than ${LIMIT_OCTETS} octets`)
    pieces.push(Buffer.from(part))
  }
  const all = Buffer.concat(pieces)
  const sha256 = createHash('sha256').update(all).digest('hex')
  const finished: Finished = { path: '', sha256, octets: length, head: all }
  verify(finished)
  const text = textOf(all, 'the XML')
  if (text.includes('<!')) throw new Fault(400, 'XML brings a document type or a comment')
  return text
}
