import type { Exchange } from '#http/exchange.ts'
import type { Asker, Right } from '../admit.ts'
import type { Bucket } from '../bucket.ts'
import { required } from '../wire/body.ts'
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

/** @throws {Fault} when the key of the client is not good for it */
export function requireRight({ bucket, asker }: S3Request, right: Right, key: string): void {
  required(bucket.refuses(right, key, asker))
}
