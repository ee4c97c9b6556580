import type { Position } from '#core/problem.ts'
import { skipLua } from './lua.ts'

export type Word = { readonly text: string; readonly at: Position }
export type Token =
  | { readonly kind: 'word'; readonly word: Word }
  | { readonly kind: ';' | '{' | '}' | 'end'; readonly at: Position }

/** Thrown by the reader and caught by `parseNginx`: the first fault ends the reading, as it does in nginx. */
export class Fault extends Error {
  readonly at: Position
  readonly fix: string
  constructor(message: string, at: Position, fix: string) {
    super(message)
    this.at = at
    this.fix = fix
  }
}

/** Cuts nginx configuration text into words and marks. */
export class Reader {
  readonly #text: string
  readonly #file: string
  #offset = 0
  #line = 1
  #lineStart = 0

  constructor(text: string, file: string) {
    this.#text = text.startsWith('\uFEFF') ? text.slice(1) : text
    this.#file = file
  }

  /** @throws {Fault} when a quote has no end, or text follows its end */
  next(): Token {
    this.#skipBlank()
    const at = this.#position()
    const char = this.#text[this.#offset]
    if (char === undefined) return { kind: 'end', at }
    if (char === ';' || char === '{' || char === '}') {
      this.#offset++
      return { kind: char, at }
    }
    const raw = char === '"' || char === "'" ? this.#readQuoted(char, at) : this.#readBare()
    return { kind: 'word', word: { text: removeEscapes(raw), at } }
  }

  /** Pass over Lua code whose `{` was just read; false when its `}` is missing. */
  skipLua(): boolean {
    const end = skipLua(this.#text, this.#offset)
    if (end === undefined) return false
    while (this.#offset < end) this.#step()
    return true
  }

  #skipBlank(): void {
    for (;;) {
      const char = this.#text[this.#offset]
      if (char === '#')
        while (this.#offset < this.#text.length && this.#text[this.#offset] !== '\n') this.#offset++
      else if (isBlank(char)) this.#step()
      else return
    }
  }

  #readQuoted(quote: string, at: Position): string {
    this.#step()
    const from = this.#offset
    while (this.#text[this.#offset] !== quote) {
      if (this.#text[this.#offset] === '\\') this.#step()
      if (this.#offset >= this.#text.length) {
        throw new Fault(`The text that begins with ${quote} has no end.`, at, `close it with ${quote}`)
      }
      this.#step()
    }
    const raw = this.#text.slice(from, this.#offset)
    this.#step()
    const after = this.#text[this.#offset]
    // nginx lets ")" follow a quote, for if ($a = "b") {
    if (after === undefined || isBlank(after) || after === ';' || after === '{' || after === ')') return raw
    throw new Fault(`"${after}" follows the closing ${quote}.`, this.#position(), 'put a blank between them')
  }

  /** A bare word ends at a blank, ";" or "{"; quotes, "#" and "}" within it are ordinary, "${" opens a variable. */
  #readBare(): string {
    const from = this.#offset
    while (this.#offset < this.#text.length) {
      const char = this.#text[this.#offset]
      if (char === '\\') this.#step()
      else if (char === '$' && this.#text[this.#offset + 1] === '{') this.#step()
      else if (isBlank(char) || char === ';' || char === '{') break
      if (this.#offset < this.#text.length) this.#step()
    }
    return this.#text.slice(from, this.#offset)
  }

  #step(): void {
    if (this.#text[this.#offset++] !== '\n') return
    this.#line++
    this.#lineStart = this.#offset
  }

  #position(): Position {
    return { file: this.#file, line: this.#line, column: this.#offset - this.#lineStart + 1 }
  }
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r'
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' }

/** nginx unescapes quotes, backslash, \t, \r and \n; any other backslash stays, for regular expressions. */
function removeEscapes(raw: string): string {
  return raw.replace(/\\(["'\\trn])/g, (_, char: string) => ESCAPES[char] ?? char)
}
