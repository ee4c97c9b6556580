import { isSame } from '#http/wire/characters.ts'
import { type Fields, noFields } from '#http/wire/fields.ts'
import type { FieldBlock } from './frame.ts'
import type { HpackEncoder, Indexing } from './hpack-encoder.ts'
import { STATIC_TABLE } from './hpack-tables.ts'

/**
 * Writes the heads and trailers of responses as field blocks of one connection (RFC 9113 §8.3.2).
 *
 * Names go out in lower case, and what concerns a connection of HTTP/1.1 stays behind (RFC 9113 §8.2.2).
 *
 * @example
 *     at = writeFieldBlock(output, at, writer.head(200, fields, 5, date), streamId, 0, maxFrameOctets)
 */
export class ResponseWriter {
  readonly #encoder: HpackEncoder
  /** heads whose fields were all in the table: they stand as they were while it stays as it is */
  readonly #kept: KeptHead[] = []
  #oldest = 0

  constructor(encoder: HpackEncoder) {
    this.#encoder = encoder
  }

  /**
   * Write the head of a final or interim response.
   *
   * @param lengthOctets for Content-Length; null leaves it out
   * @param date for Date, when the fields have none; empty leaves it out
   * @returns a block that is good until the next call
   */
  head(status: number, fields: Fields, lengthOctets: number | null, date: string): FieldBlock {
    const encoder = this.#encoder
    const { generation } = encoder
    for (const kept of this.#kept) {
      if (kept.fields !== fields || kept.status !== status || kept.lengthOctets !== lengthOctets) continue
      if (kept.generation === generation && kept.date === date) return kept
    }
    encoder.begin()
    encoder.add(':status', STATUSES[status] ?? String(status), 'incremental')
    fields.each(this.#add)
    if (lengthOctets !== null) encoder.add('content-length', String(lengthOctets), 'without')
    // The Date of an origin stays (RFC 9110 §6.6.1): it says how old a stored response is.
    if (date !== '' && fields.get('date') === undefined) encoder.add('date', date, 'incremental')
    if (encoder.generation === generation && encoder.length <= LIMIT_KEPT_OCTETS) {
      const kept = this.#leastKept()
      encoder.block.copy(kept.block, 0, 0, encoder.length)
      kept.length = encoder.length
      kept.generation = generation
      kept.status = status
      kept.fields = fields
      kept.lengthOctets = lengthOctets
      kept.date = date
    }
    return encoder
  }

  /** The place of the head that was kept longest. */
  #leastKept(): KeptHead {
    const at = this.#oldest
    this.#oldest = (at + 1) % LIMIT_KEPT
    return (this.#kept[at] ??= new KeptHead())
  }

  /** Write a trailer section (RFC 9113 §8.1). @returns a block that is good until the next call */
  trailers(fields: Fields): FieldBlock {
    this.#encoder.begin()
    fields.each(this.#add)
    return this.#encoder
  }

  readonly #add = (name: string, value: string): void => {
    const known = findName(name)
    if (known === undefined) this.#encoder.add(name.toLowerCase(), value, 'incremental')
    else if (known.indexing !== undefined) this.#encoder.add(known.lower, value, known.indexing)
  }
}

/** A head as it was sent when the encoder's table was of that generation. */
class KeptHead {
  readonly block: Buffer = Buffer.allocUnsafe(LIMIT_KEPT_OCTETS)
  length = 0
  generation = -1
  status = 0
  fields: Fields = noFields
  lengthOctets: number | null = null
  date = ''
}

/** answers that a client asks for in turn, and the same answer from some connections to an origin */
const LIMIT_KEPT = 8
const LIMIT_KEPT_OCTETS = 128

const STATUSES: readonly string[] = Array.from({ length: 600 }, (_, status) => String(status))

/** What becomes of a field; without `indexing` it is left out. */
type KnownName = { readonly lower: string; readonly indexing: Indexing | undefined }

/** RFC 9113 §8.2.2; Content-Length is written by us. */
const LEFT_OUT = 'connection content-length keep-alive proxy-connection te transfer-encoding upgrade'
/** Secrets go into no table (RFC 7541 §7.1.3). */
const NEVER = 'authorization proxy-authorization set-cookie www-authenticate'
/** Values that are seldom sent twice would push others out of the table. */
const WITHOUT =
  'age content-range etag expires last-modified link location server-timing traceparent x-request-id'
const INCREMENTAL = STATIC_TABLE.map(([name]) => name).join(' ')

/** Known names by length and last letter: quicker than a Map, which must hash names that were just cut out of a head. */
const BUCKETS: readonly KnownName[][] = Array.from({ length: 1024 }, () => [])
addNames(LEFT_OUT, undefined)
addNames(NEVER, 'never')
addNames(WITHOUT, 'without')
addNames(INCREMENTAL, 'incremental')

function addNames(names: string, indexing: Indexing | undefined): void {
  for (const lower of names.split(' ')) {
    if (findName(lower) === undefined) BUCKETS[bucketOf(lower)]!.push({ lower, indexing })
  }
}

function findName(name: string): KnownName | undefined {
  for (const known of BUCKETS[bucketOf(name)]!) {
    if (isSame(name, 0, name.length, known.lower)) return known
  }
  return undefined
}

function bucketOf(name: string): number {
  return ((name.length & 31) << 5) | (name.charCodeAt(name.length - 1) & 31)
}
