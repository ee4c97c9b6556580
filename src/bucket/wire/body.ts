import { type Refusal, refuse } from '#http/wire/refusal.ts'

/** A body that is read to its end in parts: what all encodings of uploads have in common. */
export type BodyReader = {
  /**
   * The next file; the one before must have been read to its end.
   *
   * @throws {BodyFault} when the body is malformed or too large
   */
  next(): Promise<FilePart | null>
  /** What is known when the body has ended: the fields, and of each file, in order, its name and type. */
  conclude(): Told
}

export type FilePart = {
  /** media type as declared, when it is known already */
  readonly type: string | null
  /** The next octets, valid until the next call; null at the end. */
  read(): Promise<Uint8Array | null>
}

export type Told = {
  readonly fields: unknown
  readonly files: readonly ToldFile[]
}

export type ToldFile = {
  /** name of the field of the form */
  readonly field: string
  /** as the client wrote it; null when it did not */
  readonly name: string | null
  readonly type: string | null
}

export type BodyLimits = { readonly fieldsOctets: number; readonly partsLimit: number }

/** A body that cannot be read on, and what its client is answered. */
export class BodyFault extends Error {
  readonly refusal: Refusal

  constructor(status: number, reason: string) {
    super(reason)
    this.refusal = refuse(status, reason)
  }
}

/**
 * Octets as text.
 *
 * @throws {BodyFault} when they are no UTF-8
 */
export function textOf(octets: Uint8Array, what: string): string {
  try {
    return UTF8.decode(octets)
  } catch {
    throw new BodyFault(400, `${what} is no UTF-8`)
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
