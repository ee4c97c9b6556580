import { createHash } from 'node:crypto'
import type { Fields } from '#http/wire/fields.ts'
import { Fault } from './body.ts'

/** The version of tus that is spoken. */
export const TUS_VERSION = '1.0.0'
/** Its extensions, as in Tus-Extension. */
export const TUS_EXTENSIONS: string =
  'creation,creation-with-upload,creation-defer-length,checksum,expiration,termination,concatenation'
/** Algorithms of checksums, as in Tus-Checksum-Algorithm. */
export const TUS_ALGORITHMS: readonly string[] = ['sha1', 'sha256', 'md5']

/**
 * Read Upload-Metadata: pairs of a key and a value in base64, separated by commas.
 *
 * @throws {Fault} when it is malformed
 */
export function parseMetadata(text: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>()
  if (text.trim() === '') return pairs
  for (const member of text.split(',')) {
    const match = /^\s*([\x21-\x2b\x2d-\x7e]+)(?: +([A-Za-z0-9+/]*={0,2}))?\s*$/.exec(member)
    if (match === null || pairs.has(match[1]!)) throw new Fault(400, 'Upload-Metadata is malformed')
    pairs.set(match[1]!, Buffer.from(match[2] ?? '', 'base64').toString('utf8'))
  }
  return pairs
}

/**
 * Read a number of octets from a field.
 *
 * @returns null when the field is not there
 * @throws {Fault} when it is no number
 */
export function readOctets(fields: Fields, name: string): number | null {
  const value = fields.get(name.toLowerCase())
  if (value === undefined) return null
  if (!/^\d{1,15}$/.test(value)) throw new Fault(400, `${name} is no number of octets`)
  return Number(value)
}

/**
 * Read Upload-Checksum: an algorithm and a digest in base64.
 *
 * @throws {Fault} when the algorithm is not known
 */
export function readChecksum(
  fields: Fields,
): { update(octets: Uint8Array): void; isRight(): boolean } | null {
  const value = fields.get('upload-checksum')
  if (value === undefined) return null
  const [algorithm = '', wanted = ''] = value.split(' ', 2)
  if (!TUS_ALGORITHMS.includes(algorithm)) {
    throw new Fault(400, `the checksum is made by "${algorithm}"; ${TUS_ALGORITHMS.join(', ')} are known`)
  }
  const hash = createHash(algorithm)
  return {
    update: (octets) => void hash.update(octets),
    isRight: () => hash.digest('base64') === wanted,
  }
}

/**
 * Read the targets of `Upload-Concat: final;URL URL`.
 *
 * @returns the ids of uploads, in order
 */
export function readParts(value: string): string[] {
  const ids = value
    .slice('final;'.length)
    .trim()
    .split(/ +/)
    .map((url) => /\/([\w-]{24})\/?$/.exec(url)?.[1])
  if (ids.length > LIMIT_PARTS || ids.some((id) => id === undefined)) {
    throw new Fault(400, `Upload-Concat names 1 to ${LIMIT_PARTS} uploads`)
  }
  return ids as string[]
}

const LIMIT_PARTS = 1000
