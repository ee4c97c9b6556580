import type { Source } from '#http/exchange.ts'
import { isToken } from '#http/wire/characters.ts'
import {
  type BodyLimits,
  type BodyReader,
  decoderOf,
  Fault,
  type FilePart,
  type Told,
  type ToldFile,
  textOf,
} from './body.ts'
import { parseParameters, unescapeFormName } from './disposition.ts'

/**
 * Read multipart/form-data (RFC 7578, RFC 2046 §5.1) as it comes.
 *
 * Nothing is guessed: what stands between boundaries is either a part or a fault, and a body without its closing
 * boundary is one that broke off.
 */
export class MultipartReader implements BodyReader {
  readonly #source: Source
  readonly #delimiter: Buffer
  readonly #limits: BodyLimits
  readonly #files: ToldFile[] = []
  readonly #fields: Record<string, string | string[]> = Object.create(null)
  /** octets that have arrived and belong to nobody yet; the first boundary has its CRLF like the others */
  #held: Buffer = Buffer.from('\r\n')
  #fieldsOctets = 0
  /** of names and texts: of UTF-8, unless the form says another (RFC 7578 §4.6) */
  #decoder: TextDecoder | undefined
  #parts = 0
  #state: 'preamble' | 'part' | 'end' = 'preamble'

  /** @param boundary as in Content-Type */
  constructor(source: Source, boundary: string, limits: BodyLimits) {
    this.#source = source
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
    this.#limits = limits
  }

  async next(): Promise<FilePart | null> {
    while (this.#state !== 'end') {
      // What stands before the first boundary is nobody's (RFC 2046 §5.1.1).
      while ((await this.#readToDelimiter()) !== null) {}
      if (await this.#isClosing()) break
      this.#state = 'part'
      const head = await this.#readHead()
      // A field of a form in which nobody chose a file comes as a file without name and octets.
      if (head.name === '' && (await this.#isEmpty())) continue
      if (head.name !== null || isNoText(head.type)) {
        this.#files.push(head)
        return { type: head.type, read: () => this.#readToDelimiter() }
      }
      await this.#readField(head)
    }
    this.#state = 'end'
    return null
  }

  conclude(): Told {
    return { fields: { ...this.#fields }, files: this.#files }
  }

  /** Content up to the next boundary; null when there is none left before it. */
  async #readToDelimiter(): Promise<Uint8Array | null> {
    for (;;) {
      const at = this.#held.indexOf(this.#delimiter)
      if (at === 0) return null
      if (at > 0) return this.#cut(at)
      // A boundary may have begun in the last octets.
      const tail = Math.max(0, this.#held.length - this.#delimiter.length + 1)
      const cr = this.#held.indexOf(CR, tail)
      const safe = cr < 0 ? this.#held.length : cr
      if (safe > 0) return this.#cut(safe)
      await this.#more()
    }
  }

  /** Whether the next boundary follows at once. */
  async #isEmpty(): Promise<boolean> {
    while (this.#held.length < this.#delimiter.length) await this.#more()
    return this.#held.subarray(0, this.#delimiter.length).equals(this.#delimiter)
  }

  #cut(length: number): Buffer {
    const octets = this.#held.subarray(0, length)
    this.#held = this.#held.subarray(length)
    return octets
  }

  /** RFC 2046 §5.1.1: two hyphens after the last boundary, else blanks and the end of the line. */
  async #isClosing(): Promise<boolean> {
    this.#cut(this.#delimiter.length)
    while (this.#held.length < 2) await this.#more()
    if (this.#held[0] === HYPHEN && this.#held[1] === HYPHEN) return true
    const lineEnd = await this.#find(CRLF, LIMIT_PADDING)
    if (!/^[ \t]*$/.test(this.#cut(lineEnd).toString('latin1'))) {
      throw new Fault(400, 'something stands beside a boundary')
    }
    return false
  }

  async #readHead(): Promise<ToldFile> {
    this.#parts++
    if (this.#parts > this.#limits.partsLimit)
      throw new Fault(413, `there are more than ${this.#limits.partsLimit} parts`)
    // With the CRLF of the line before, so that a part without fields has an empty line too.
    const end = await this.#find(EMPTY_LINE, LIMIT_HEAD)
    const head = textOf(this.#cut(end), 'the head of a part', this.#decoder)
    // RFC 5322 §2.2.3: a line that begins with a blank goes on where the one before ended.
    const lines = head
      .replace(/\r\n(?=[ \t])/g, '')
      .split('\r\n')
      .slice(1)
    this.#cut(EMPTY_LINE.length)
    // The CRLF of the first boundary may follow at once: an empty part.
    const fields = new Map(lines.map(parseLine))
    if (fields.size < lines.length) throw new Fault(400, 'a field of a part stands twice')
    return describe(fields)
  }

  async #readField({ field: name, type }: ToldFile): Promise<void> {
    const pieces: Buffer[] = []
    for (
      let octets = await this.#readToDelimiter();
      octets !== null;
      octets = await this.#readToDelimiter()
    ) {
      this.#fieldsOctets += octets.length
      if (this.#fieldsOctets > this.#limits.fieldsOctets) {
        throw new Fault(413, `the fields are larger than ${this.#limits.fieldsOctets} octets`)
      }
      pieces.push(Buffer.from(octets))
    }
    // RFC 7578 §4.5
    const charset = parseParameters(type ?? '')?.parameters.get('charset')
    const decoder = charset === undefined ? this.#decoder : decoderOf(charset)
    const text = textOf(Buffer.concat(pieces), `the field "${name}"`, decoder)
    if (name === CHARSET_FIELD && text !== '') this.#decoder = decoderOf(text)
    addField(this.#fields, name, text)
  }

  /** Where something stands in what has arrived or will; within a limit. */
  async #find(octets: Buffer, limit: number): Promise<number> {
    for (;;) {
      const at = this.#held.indexOf(octets)
      if (at >= 0 && at <= limit) return at
      if (this.#held.length > limit) throw new Fault(431, `the head of a part is larger than ${limit} octets`)
      await this.#more()
    }
  }

  async #more(): Promise<void> {
    // What is held must be copied before the source is asked again, for the memory is the source's.
    const kept = this.#held.length === 0 ? NONE : Buffer.from(this.#held)
    const octets = await this.#source.read(READ_OCTETS)
    if (octets === null) throw new Fault(400, 'the closing boundary is missing')
    const arrived = Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    this.#held = kept.length === 0 ? arrived : Buffer.concat([kept, arrived])
  }
}

/** RFC 2046 §5.1.1: 1 to 70 characters, not a blank at the end. */
export function isBoundary(boundary: string): boolean {
  return /^[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]$/.test(boundary)
}

/** The field of a form that names the charset of the others (RFC 7578 §4.6). */
export const CHARSET_FIELD = '_charset_'

/** Without the name of a file, a part of such a type is one all the same. */
function isNoText(type: string | null): boolean {
  return /^(?:application\/octet-stream|image\/|audio\/|video\/|font\/)/i.test(type ?? '')
}

/** A field that stands several times becomes a list. */
export function addField(fields: Record<string, string | string[]>, name: string, value: string): void {
  const before = fields[name]
  fields[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
}

const CR = 13
const HYPHEN = 45
const CRLF = Buffer.from('\r\n')
const EMPTY_LINE = Buffer.from('\r\n\r\n')
const NONE = Buffer.alloc(0)
const READ_OCTETS = 262_144
const LIMIT_PADDING = 128
/** a long name in a script of three octets a character, and its type */
const LIMIT_HEAD = 16_384

function parseLine(line: string): [string, string] {
  const colon = line.indexOf(':')
  const name = line.slice(0, Math.max(0, colon))
  const value = line.slice(colon + 1).trim()
  if (!isToken(name) || /[\0\r\n]/.test(value)) throw new Fault(400, 'a part has a field that is malformed')
  return [name.toLowerCase(), value]
}

function describe(fields: ReadonlyMap<string, string>): ToldFile {
  const disposition = parseParameters(fields.get('content-disposition') ?? '')
  const field = disposition?.parameters.get('name')
  // RFC 7578 §4.2: each part has the disposition "form-data" and a name.
  if (disposition?.value !== 'form-data' || field === undefined) {
    throw new Fault(400, 'a part has no Content-Disposition "form-data" with a name')
  }
  // RFC 7578 §4.7: nobody sends other encodings than these.
  if (!/^(?:7bit|8bit|binary)?$/i.test(fields.get('content-transfer-encoding') ?? '')) {
    throw new Fault(415, 'a part has a Content-Transfer-Encoding; send it as it is')
  }
  const name = disposition.parameters.get('filename')
  return {
    field: unescapeFormName(field),
    name: name === undefined ? null : unescapeFormName(name),
    type: fields.get('content-type') ?? null,
  }
}
