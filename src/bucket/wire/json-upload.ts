import type { Source } from '#http/exchange.ts'
import { Base64Decoder } from './base64.ts'
import {
  type BodyLimits,
  type BodyReader,
  Fault,
  type FilePart,
  type Told,
  type ToldFile,
  textOf,
} from './body.ts'

/**
 * Read a JSON text whose files stand in it as base64, without ever holding a file.
 *
 * A file is an object with a member `base64`, beside `name` and `type`, or a string that is a `data:` URL with `;base64`.
 * Their octets are decoded as they come; the rest of the text is kept, with a mark in the place of each file, and read by
 * `JSON.parse` in the end, so that JSON (RFC 8259) is judged by one parser only.
 */
export class JsonUpload implements BodyReader {
  readonly #source: Source
  readonly #limits: BodyLimits
  /** not to be guessed: text that looks like a mark must not become a file */
  readonly #mark: string
  readonly #types: (string | null)[] = []
  #chunk: Buffer = NONE
  #at = 0
  /** the text without its files */
  #kept: Buffer = Buffer.alloc(1024)
  #keptOctets = 0
  #depth = 0
  #state: 'outside' | 'string' | 'file' | 'end' = 'outside'
  /** where the last string began in what is kept, its quote included */
  #stringStart = 0
  /** the last string that ended, raw; a colon after it makes it a key */
  #lastString = ''
  #key = ''
  #isEscaped = false

  /** @param mark random text of letters and digits */
  constructor(source: Source, mark: string, limits: BodyLimits) {
    this.#source = source
    this.#mark = mark
    this.#limits = limits
  }

  async next(): Promise<FilePart | null> {
    while (this.#state !== 'end') {
      if (this.#at === this.#chunk.length && !(await this.#more())) break
      if (this.#scan()) return this.#beginFile()
    }
    this.#state = 'end'
    return null
  }

  conclude(): Told {
    const text = textOf(this.#kept.subarray(0, this.#keptOctets), 'the JSON text')
    let fields: unknown
    try {
      fields = JSON.parse(text)
    } catch {
      throw new Fault(400, 'the content is no JSON (RFC 8259)')
    }
    const files: ToldFile[] = []
    const told = this.#describe(fields, '', files)
    if (Object.keys(files).length !== this.#types.length)
      throw new Fault(400, 'a member of an object stands twice')
    return { fields: told, files }
  }

  /** Keep what has arrived, up to where a file begins. */
  #scan(): boolean {
    const chunk = this.#chunk
    while (this.#at < chunk.length) {
      const c = chunk[this.#at++]!
      this.#keep(c)
      if (this.#state === 'string' ? this.#takeInString(c) : this.#takeOutside(c)) return true
    }
    return false
  }

  #takeOutside(c: number): boolean {
    if (c === QUOTE) {
      this.#state = 'string'
      this.#stringStart = this.#keptOctets - 1
      // A file begins with its first character, not with the quote of what may be a key.
      return this.#key === 'base64'
    }
    if (c === COLON) this.#key = this.#lastString
    else if (c === COMMA || c === OPEN_OBJECT || c === OPEN_LIST) this.#key = ''
    if (c === OPEN_OBJECT || c === OPEN_LIST) {
      this.#depth++
      if (this.#depth > LIMIT_DEPTH) throw new Fault(400, `JSON is nested deeper than ${LIMIT_DEPTH}`)
    } else if (c === CLOSE_OBJECT || c === CLOSE_LIST) {
      this.#depth--
      this.#key = ''
    }
    return false
  }

  #takeInString(c: number): boolean {
    if (this.#isEscaped) {
      this.#isEscaped = false
    } else if (c === BACKSLASH) {
      this.#isEscaped = true
    } else if (c === QUOTE) {
      this.#state = 'outside'
      const length = this.#keptOctets - this.#stringStart
      this.#lastString = length > LIMIT_KEY ? '' : this.#keptText(this.#stringStart + 1, this.#keptOctets - 1)
    } else if (c === COMMA && this.#keptOctets - this.#stringStart <= LIMIT_KEY) {
      return DATA_URL.test(this.#keptText(this.#stringStart + 1, this.#keptOctets))
    }
    return false
  }

  #beginFile(): FilePart {
    if (this.#types.length >= this.#limits.partsLimit) {
      throw new Fault(413, `there are more than ${this.#limits.partsLimit} files`)
    }
    const url = DATA_URL.exec(this.#keptText(this.#stringStart + 1, this.#keptOctets))
    const type = url === null ? null : url[1]!.replaceAll('\\/', '/') || null
    this.#keptOctets = this.#stringStart + 1
    for (const c of Buffer.from(`${this.#mark}${this.#types.length}"`)) this.#keep(c)
    this.#types.push(type)
    this.#state = 'file'
    const decoder = new Base64Decoder()
    return { type, read: () => this.#readFile(decoder) }
  }

  async #readFile(decoder: Base64Decoder): Promise<Uint8Array | null> {
    while (this.#state === 'file') {
      if (this.#at === this.#chunk.length && !(await this.#more())) {
        throw new Fault(400, 'the content ends inside a string')
      }
      const quote = this.#chunk.indexOf(QUOTE, this.#at)
      const end = quote < 0 ? this.#chunk.length : quote
      const decoded = decoder.decode(withoutEscapes(this.#chunk.subarray(this.#at, end)))
      this.#at = end
      if (quote >= 0) {
        this.#at++
        this.#state = 'outside'
        this.#lastString = ''
        this.#key = ''
        return Buffer.concat([decoded, decoder.end()])
      }
      if (decoded.length > 0) return decoded
    }
    return null
  }

  #keep(c: number): void {
    if (this.#keptOctets === this.#kept.length) {
      if (this.#kept.length >= this.#limits.fieldsOctets) {
        throw new Fault(413, `JSON beside its files is larger than ${this.#limits.fieldsOctets} octets`)
      }
      this.#kept = Buffer.concat([this.#kept, this.#kept])
    }
    this.#kept[this.#keptOctets++] = c
  }

  #keptText(start: number, end: number): string {
    return this.#kept.toString('latin1', start, end)
  }

  async #more(): Promise<boolean> {
    const octets = await this.#source.read(READ_OCTETS)
    this.#chunk = octets === null ? NONE : Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    this.#at = 0
    return octets !== null
  }

  /** The value without its files, which are put into `files` in the order in which they came. */
  #describe(value: unknown, key: string, files: ToldFile[]): unknown {
    if (typeof value === 'string') {
      const index = this.#indexOf(value)
      if (index === null) return value
      files[index] = { field: key, name: null, type: this.#types[index] ?? null }
      return null
    }
    if (Array.isArray(value)) return value.map((member) => this.#describe(member, key, files))
    if (typeof value !== 'object' || value === null) return value
    const { base64, ...others } = value as Readonly<Record<string, unknown>>
    const index = typeof base64 === 'string' ? this.#indexOf(base64) : null
    if (index === null) {
      return Object.fromEntries(
        Object.entries(value).map(([name, member]) => [name, this.#describe(member, name, files)]),
      )
    }
    files[index] = { field: key, name: textOrNull(others['name']), type: textOrNull(others['type']) }
    return others
  }

  #indexOf(text: string): number | null {
    return text.startsWith(this.#mark) ? Number(text.slice(this.#mark.length)) : null
  }
}

const [QUOTE, COMMA, COLON, BACKSLASH] = [0x22, 0x2c, 0x3a, 0x5c]
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d]
const NONE: Buffer = Buffer.alloc(0)
const READ_OCTETS = 262_144
const LIMIT_DEPTH = 64
/** a key or what stands before the octets of a data URL */
const LIMIT_KEY = 256
/** RFC 2397; the slash of the type may be escaped */
const DATA_URL = /^data:([\w.+-]*(?:\\?\/[\w.+-]+)?)(?:;[\w.+=-]+)*;base64,$/i

/** JSON may escape a slash, which is a character of base64; no other escape makes sense there. */
function withoutEscapes(octets: Buffer): Uint8Array {
  return octets.includes(BACKSLASH) ? octets.filter((c) => c !== BACKSLASH) : octets
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
