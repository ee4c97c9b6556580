import { isRefusal, type Refusal, refuse } from '#http/wire/refusal.ts'

/** A body that is read to its end in parts: what all encodings of uploads have in common. */
export type BodyReader = {
  /**
   * The next file; the one before must have been read to its end.
   *
   * @throws {Fault} when the body is malformed or too large
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

/** Why a request is not followed, thrown to whoever knows in which form its client reads it. */
export class Fault extends Error {
  readonly refusal: Refusal
  /** field lines of the answer */
  readonly lines: readonly (readonly [name: string, value: string])[]

  constructor(status: number, reason: string, lines: Fault['lines'] = []) {
    super(reason)
    this.refusal = refuse(status, reason)
    this.lines = lines
  }
}

/**
 * What is right.
 *
 * @throws {Fault} when it is a refusal
 */
export function required<Value>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new Fault(value.status, value.reason)
  return value
}

/**
 * Octets as text.
 *
 * @throws {Fault} when they are no UTF-8, or not of the charset that was said
 */
export function textOf(octets: Uint8Array, what: string, decoder: TextDecoder = UTF8): string {
  try {
    return decoder.decode(octets)
  } catch {
    throw new Fault(400, `${what} is no ${decoder.encoding.toUpperCase()}`)
  }
}

/**
 * What reads texts of a charset, by a name that browsers know (WHATWG Encoding §4.2).
 *
 * @throws {Fault} when nobody knows it
 */
export function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true })
  } catch {
    throw new Fault(415, `the charset "${charset}" is not known`)
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
