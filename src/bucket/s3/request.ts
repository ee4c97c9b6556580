import type { Exchange } from '#http/exchange.ts'
import type { Asker, Right } from '../admit.ts'
import type { Bucket } from '../bucket.ts'
import { required } from '../wire/body.ts'
import { keyOfPath } from '../wire/key.ts'
import type { Signature } from '../wire/sigv4.ts'

/** A request of an S3 client whose signature is right. */
export type S3Request = {
  readonly bucket: Bucket
  readonly exchange: Exchange
  readonly query: URLSearchParams
  /** empty for the bucket itself */
  readonly key: string
  readonly asker: Asker
  readonly signature: Signature
  readonly secret: string
}

/**
 * The bucket that a path names and the key behind it: clients of S3 name the bucket in the path.
 *
 * @param path as sent
 * @throws {Fault} when the key is none
 */
export function splitPath(path: string): { readonly name: string; readonly key: string } {
  const [, name = '', key = '/'] = /^\/([^/]*)(\/.*)?$/s.exec(path) ?? []
  return { name, key: required(keyOfPath(key)) }
}

/** @throws {Fault} when the key of the client is not good for it */
export function requireRight({ bucket, asker }: S3Request, right: Right, key: string): void {
  required(bucket.refuses(right, key, asker))
}
