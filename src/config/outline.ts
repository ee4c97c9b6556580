/** Where the parts of a text of JSON stand, beside what `JSON.parse` makes of it. */
export type Outline = {
  /** the text as JSON proper: comments, and commas before a bracket that closes, are blanks */
  readonly plain: string
  /** three numbers for each value (`KEY`, `VALUE`, `END`), in the order of the text: what stands in it comes right behind */
  readonly entries: Uint32Array
  /** of values */
  readonly count: number
  /** where the value stands that is deeper than the limit; -1 where none is */
  readonly tooDeepAt: number
}

/** Numbers in an entry. */
export const ENTRY = 3
/** Offset of the key that leads to the value; of the value itself where it stands in a list. */
export const KEY = 0
/** Offset of the value. */
export const VALUE = 1
/** Place in `entries` of the first that does not stand in the value. */
export const END = 2

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const STAR = 0x2a
const COMMA = 0x2c
const SLASH = 0x2f
const COLON = 0x3a
const LIST = 0x5b
const BACKSLASH = 0x5c
const LIST_END = 0x5d
const OBJECT = 0x7b
const OBJECT_END = 0x7d

const NONE = -1
const SEVERAL = -2

/**
 * Outline JSON with comments and trailing commas (RFC 8259). Of any other text the outline says nothing, and `plain`
 * is no JSON either.
 *
 * @param depthLimit objects and lists in one another
 */
export function outline(text: string, depthLimit: number): Outline {
  const outliner = new Outliner(text)
  let at = 0
  while (at < text.length && outliner.depth <= depthLimit) at = outliner.take(at)
  const tooDeepAt = outliner.depth > depthLimit ? at - 1 : NONE
  return { plain: outliner.plain(), entries: outliner.entries, count: outliner.count, tooDeepAt }
}

class Outliner {
  readonly #text: string
  /** where blanks begin and end, in turn */
  readonly #blanks: number[] = []
  /** entries of the objects and lists that are open */
  readonly #open: number[] = []
  entries: Uint32Array = new Uint32Array(ENTRY * 1024)
  #size = 0
  #inObject = false
  /** the key whose value comes next */
  #keyAt = NONE
  /** the comma behind the last value */
  #commaAt = NONE
  #blanksBefore = 0

  constructor(text: string) {
    this.#text = text
  }

  get depth(): number {
    return this.#open.length
  }

  get count(): number {
    return this.#size / ENTRY
  }

  /** Take the next token; where the one after it begins. */
  take(at: number): number {
    const letter = this.#text.charCodeAt(at)
    switch (letter) {
      case SPACE:
      case LF:
      case CR:
      case TAB:
      case COLON:
        return at + 1
      case COMMA:
        this.#commaAt = this.#commaAt === NONE ? at : SEVERAL
        this.#blanksBefore = this.#blanks.length
        return at + 1
      case QUOTE:
        if (this.#inObject && this.#keyAt === NONE) this.#keyAt = at
        else this.#begin(at)
        return endOfText(this.#text, at)
      case OBJECT:
      case LIST:
        this.#open.push(this.#begin(at))
        this.#inObject = letter === OBJECT
        return at + 1
      case OBJECT_END:
      case LIST_END:
        this.#end()
        return at + 1
      case SLASH:
        return this.#comment(at)
      default:
        this.#begin(at)
        return endOfWord(this.#text, at)
    }
  }

  /** The text with spaces where it has blanks, so that offsets stay. */
  plain(): string {
    if (this.#blanks.length === 0) return this.#text
    const parts: string[] = []
    let from = 0
    for (let i = 0; i < this.#blanks.length; i += 2) {
      const [start, end] = [this.#blanks[i]!, this.#blanks[i + 1]!]
      parts.push(this.#text.slice(from, start), ' '.repeat(end - start))
      from = end
    }
    return parts.join('') + this.#text.slice(from)
  }

  #begin(at: number): number {
    const entry = this.#size
    if (entry === this.entries.length) {
      const grown = new Uint32Array(2 * entry)
      grown.set(this.entries)
      this.entries = grown
    }
    this.entries[entry + KEY] = this.#keyAt === NONE ? at : this.#keyAt
    this.entries[entry + VALUE] = at
    this.entries[entry + END] = entry + ENTRY
    this.#size = entry + ENTRY
    this.#keyAt = NONE
    this.#commaAt = NONE
    return entry
  }

  #end(): void {
    const entry = this.#open.pop()
    if (entry === undefined) return
    this.entries[entry + END] = this.#size
    // Of a comma without a value before it JSON.parse shall complain.
    if (this.#commaAt >= 0 && this.#size > entry + ENTRY)
      this.#blanks.splice(this.#blanksBefore, 0, this.#commaAt, this.#commaAt + 1)
    const parent = this.#open.at(-1)
    this.#inObject = parent !== undefined && this.#text.charCodeAt(this.entries[parent + VALUE]!) === OBJECT
    this.#keyAt = NONE
    this.#commaAt = NONE
  }

  #comment(at: number): number {
    const text = this.#text
    const kind = text.charCodeAt(at + 1)
    if (kind !== SLASH && kind !== STAR) return at + 1
    let end = at + 2
    if (kind === SLASH)
      while (end < text.length && text.charCodeAt(end) !== LF && text.charCodeAt(end) !== CR) end++
    else end = text.indexOf('*/', end) + 2
    // A comment that does not end stays where it is, for JSON.parse to complain of.
    if (end < at + 2) return text.length
    this.#blanks.push(at, end)
    return end
  }
}

/** Where a text in quotes ends that begins at an offset. */
export function endOfText(text: string, start: number): number {
  let at = start + 1
  for (; at < text.length; at++) {
    const letter = text.charCodeAt(at)
    if (letter === QUOTE) return at + 1
    if (letter === BACKSLASH) at++
  }
  return at
}

/** Numbers, true, false and null, and whatever else JSON.parse complains of. */
function endOfWord(text: string, start: number): number {
  let at = start + 1
  for (; at < text.length; at++) {
    const letter = text.charCodeAt(at)
    if (letter <= SPACE || letter === COMMA || letter === LIST_END || letter === OBJECT_END) break
    if (letter === SLASH || letter === QUOTE || letter === LIST || letter === OBJECT || letter === COLON)
      break
  }
  return at
}
