import type { Fields } from '#http/wire/fields.ts'
import { Fault } from './body.ts'

/**
 * Compare a request's content with what the client says of it (RFC 9530 §2, §3).
 *
 * Content and representation of PUT and POST are the same octets here. Other algorithms are not looked at (RFC 9530 §5).
 *
 * @param sha256 of what has arrived, in hexadecimal
 * @throws {Fault} when it is another one
 */
export function verifyDigest(fields: Fields, sha256: string): void {
  for (const name of ['content-digest', 'repr-digest']) {
    const said = /(?:^|,)[ \t]*sha-256=([^,;]*)/.exec(fields.all(name).join(','))?.[1]?.trim()
    if (said !== undefined && said !== `:${Buffer.from(sha256, 'hex').toString('base64')}:`)
      throw new Fault(400, `the SHA-256 of what arrived is not that of ${name}`)
  }
}
