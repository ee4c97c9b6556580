import { isSame, isToken, LOWER, skipValue } from './characters.ts'

/**
 * Header or trailer fields in the order received (RFC 9110 §5).
 *
 * Names are compared without case; values have no surrounding white space.
 */
export type Fields = {
  readonly size: number
  /** The first value under a lower-case name, or undefined. */
  get(name: string): string | undefined
  /** All values under a lower-case name, in order (RFC 9110 §5.3). */
  all(name: string): string[]
  /** Visit every field line with the name as it was written. */
  each(visit: (name: string, value: string) => void): void
  /** The lines that `serializeFields` asks for, where there is a quicker way to them than `each`. */
  serialize?(skip: NameSet, nominated?: NameSet): string
  /** the head that was written with these fields; null where the same will be sent again, and nothing was kept yet */
  written?: WrittenHead | null | undefined
}

/** A head in octets, as a connection of HTTP/1.1 that stays open sends it. */
export type WrittenHead = {
  readonly status: number
  readonly lengthOctets: number | null
  /** the Date that the connection added; empty when the fields have one */
  readonly dateLine: string
  readonly text: string
  readonly octets: Uint8Array
}

/**
 * Fields of one's own.
 *
 * @param pairs name and value; one pair a field line
 * @throws {RangeError} when a name is no token or a value holds what may not stand in one (RFC 9110 §5.5)
 * @example fieldsOf([['Content-Type', 'text/html']])
 */
export function fieldsOf(pairs: Iterable<readonly [string, string]>): Fields {
  const offsets: number[] = []
  let text = ''
  for (const [name, value] of pairs) {
    const trimmed = value.replace(/^[ \t]+|[ \t]+$/g, '')
    if (!isToken(name)) throw new RangeError(`A field name is a token, not ${JSON.stringify(name)}`)
    if (skipValue(trimmed, 0) < trimmed.length) {
      throw new RangeError(
        `The value of ${name} holds a character that may not stand in a field: ${JSON.stringify(value)}`,
      )
    }
    const valueStart = text.length + name.length + 2
    const valueEnd = valueStart + trimmed.length
    offsets.push(text.length, valueStart - 2, valueStart, valueEnd, valueEnd + 2)
    text += `${name}: ${trimmed}\r\n`
  }
  return new TextFields(text, offsets)
}

/** The lines of one, then those of the other. */
export function joinFields(fields: Fields, more: Fields | Iterable<readonly [string, string]>): Fields {
  const pairs: (readonly [string, string])[] = []
  fields.each((name, value) => pairs.push([name, value]))
  if ('each' in more) more.each((name, value) => pairs.push([name, value]))
  else pairs.push(...more)
  return fieldsOf(pairs)
}

/** The lines with other names; the same object when nothing goes away. */
export function withoutFields(fields: Fields, names: NameSet): Fields {
  const kept: [string, string][] = []
  fields.each((name, value) => {
    if (!names.has(name, 0, name.length)) kept.push([name, value])
  })
  return kept.length === fields.size ? fields : fieldsOf(kept)
}

/** The lines of fields as they go on the wire, each with its CRLF, without the names in `skip` and `nominated`. */
export function serializeFields(fields: Fields, skip: NameSet = NO_NAMES, nominated?: NameSet): string {
  if (fields.serialize !== undefined) return fields.serialize(skip, nominated)
  let text = ''
  fields.each((name, value) => {
    if (skip.has(name, 0, name.length) || nominated?.has(name, 0, name.length)) return
    text += `${name}: ${value}\r\n`
  })
  return text
}

const BUCKETS = 128

/** Field names that are looked for often: found by length and first letter before anything is compared. */
export class NameSet {
  readonly #buckets: (readonly string[] | undefined)[] = new Array(BUCKETS).fill(undefined)

  constructor(names: readonly string[]) {
    for (const name of names) {
      const lower = name.toLowerCase()
      if (lower === '') continue
      const key = bucketOf(lower, 0, lower.length)
      this.#buckets[key] = [...(this.#buckets[key] ?? []), lower]
    }
  }

  /** Whether `text` from `start` to `end` is one of the names, without case. */
  has(text: string, start: number, end: number): boolean {
    const bucket = this.#buckets[bucketOf(text, start, end)]
    if (bucket === undefined) return false
    for (const name of bucket) {
      if (isSame(text, start, end, name)) return true
    }
    return false
  }
}

const NO_NAMES = new NameSet([])

/**
 * Field line `i` has its name at `offsets[5i]` to `[5i + 1]` and its value at `[5i + 2]` to `[5i + 3]`; the next line
 * begins at `[5i + 4]`, for white space may stand between the value and the CRLF.
 */
const STEP = 5

/** Fields that stay in the text they came in; a value that nobody asks for is never cut out. */
export class TextFields implements Fields {
  readonly #text: string
  readonly #offsets: readonly number[]
  /** a bit for each length and first letter of a name: most names that are looked for are not there */
  readonly #present: number
  /** the last answer of `serialize`: a stored response is serialised again and again */
  #serialized: string | undefined
  #serializedWithout: NameSet | undefined

  /** @param text field lines with CRLF, maybe after other lines; `offsets` five a line, as STEP says */
  constructor(text: string, offsets: readonly number[]) {
    this.#text = text
    this.#offsets = offsets
    let present = 0
    for (let i = 0; i < offsets.length; i += STEP)
      present |= 1 << bucketOf(text, offsets[i]!, offsets[i + 1]!)
    this.#present = present
  }

  get size(): number {
    return this.#offsets.length / STEP
  }

  get(name: string): string | undefined {
    if (!this.#mayHave(name)) return undefined
    const offsets = this.#offsets
    for (let i = 0; i < offsets.length; i += STEP) {
      if (isSame(this.#text, offsets[i]!, offsets[i + 1]!, name)) return this.#value(i)
    }
    return undefined
  }

  all(name: string): string[] {
    const values: string[] = []
    if (!this.#mayHave(name)) return values
    const offsets = this.#offsets
    for (let i = 0; i < offsets.length; i += STEP) {
      if (isSame(this.#text, offsets[i]!, offsets[i + 1]!, name)) values.push(this.#value(i))
    }
    return values
  }

  each(visit: (name: string, value: string) => void): void {
    const offsets = this.#offsets
    for (let i = 0; i < offsets.length; i += STEP) {
      visit(this.#text.slice(offsets[i]!, offsets[i + 1]!), this.#value(i))
    }
  }

  /** As `serializeFields` says. Neighbouring lines that stay are copied as one range of the text. */
  serialize(skip: NameSet, nominated?: NameSet): string {
    if (nominated === undefined && this.#serializedWithout === skip) return this.#serialized!
    const offsets = this.#offsets
    let lines = ''
    let rangeStart = -1
    let rangeEnd = -1
    for (let i = 0; i < offsets.length; i += STEP) {
      const start = offsets[i]!
      const end = offsets[i + 1]!
      const dropped = skip.has(this.#text, start, end) || nominated?.has(this.#text, start, end) === true
      // Lines that were left out when the text was parsed stand between those that stay.
      if (rangeStart >= 0 && (dropped || start !== rangeEnd)) {
        lines += this.#text.slice(rangeStart, rangeEnd)
        rangeStart = -1
      }
      if (!dropped && rangeStart < 0) rangeStart = start
      rangeEnd = offsets[i + 4]!
    }
    if (rangeStart >= 0) lines += this.#text.slice(rangeStart, rangeEnd)
    if (nominated === undefined) {
      this.#serialized = lines
      this.#serializedWithout = skip
    }
    return lines
  }

  #mayHave(name: string): boolean {
    return (this.#present & (1 << bucketOf(name, 0, name.length))) !== 0
  }

  #value(i: number): string {
    return this.#text.slice(this.#offsets[i + 2]!, this.#offsets[i + 3]!)
  }
}

/** No fields: one object for all. */
export const noFields: Fields = new TextFields('', [])

function bucketOf(text: string, start: number, end: number): number {
  return ((end - start) * 11 + (LOWER[text.charCodeAt(start)] ?? 0)) % BUCKETS
}
