/** A word of a master file. Escapes are still in the text; the quotation marks around it are not. */
export type Token = {
  readonly text: string
  readonly quoted: boolean
  /** both from 1 */
  readonly line: number
  readonly column: number
}

/** One entry of a master file: its words up to a line end outside parentheses. */
export type Entry = {
  readonly tokens: readonly Token[]
  /** it begins with a blank, so the owner is the last one stated */
  readonly indented: boolean
  /** a `;` began a comment in it */
  readonly commented: boolean
  /** why the words after the tokens could not be told apart */
  readonly fault?: { readonly message: string; readonly line: number; readonly column: number }
}

/**
 * Tells the words of a master file apart (RFC 1035 §5.1): blanks, comments, quotation marks, escapes, parentheses.
 *
 * A quoted string ends on its line: one left open by mistake would swallow the records after it.
 */
export class Scanner {
  readonly #text: string
  #at = 0
  #line = 1
  #lineStart = 0

  constructor(text: string) {
    // A byte order mark is what editors add, not part of the first owner.
    this.#text = text
    if (text.startsWith('\ufeff')) this.#at = this.#lineStart = 1
  }

  /** The next entry that has words or a fault; undefined at the end. */
  next(): Entry | undefined {
    while (this.#at < this.#text.length) {
      const entry = this.#entry()
      if (entry.tokens.length > 0 || entry.fault !== undefined) return entry
    }
    return undefined
  }

  #entry(): Entry {
    const tokens: Token[] = []
    const opened: { line: number; column: number }[] = []
    const indented = isBlank(this.#text[this.#at])
    let commented = false
    const end = (fault?: Entry['fault']) => ({ tokens, indented, commented, ...(fault && { fault }) })
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!
      if (character === '\n') {
        this.#newLine()
        if (opened.length === 0) return end()
      } else if (isBlank(character)) this.#at++
      else if (character === ';') {
        commented = true
        this.#skipLine()
      } else if (character === '(') opened.push(this.#step())
      else if (character === ')') {
        const place = this.#step()
        if (opened.pop() === undefined) {
          this.#skipLine()
          return end({ message: 'This parenthesis closes none that is open', ...place })
        }
      } else {
        const token = character === '"' ? this.#quoted() : this.#word()
        if ('message' in token) {
          this.#skipLine()
          return end(token)
        }
        tokens.push(token)
      }
    }
    const open = opened[0]
    return open ? end({ message: 'This parenthesis is never closed', ...open }) : end()
  }

  #quoted(): Token | NonNullable<Entry['fault']> {
    const place = this.#step()
    const start = this.#at
    if (!this.#toQuotationMark()) {
      return { message: 'This quotation mark is not closed before the end of the line', ...place }
    }
    return { text: this.#text.slice(start, this.#at++), quoted: true, ...place }
  }

  /** A quoted part may stand inside a word: `alpn="h2,h3"` (RFC 9460 §2.1). */
  #word(): Token | NonNullable<Entry['fault']> {
    const place = this.#place()
    const start = this.#at
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!
      if (isBlank(character) || '\n;()'.includes(character)) break
      const skipped = character === '\\' && this.#text[this.#at + 1] !== '\n' ? 2 : 1
      this.#at = Math.min(this.#at + skipped, this.#text.length)
      if (character !== '"') continue
      if (!this.#toQuotationMark()) {
        return { message: 'A quotation mark in this word is not closed before the end of the line', ...place }
      }
      this.#at++
    }
    return { text: this.#text.slice(start, this.#at), quoted: false, ...place }
  }

  /** Go to the next quotation mark that is not escaped; false when the line ends first. */
  #toQuotationMark(): boolean {
    while (this.#at < this.#text.length && this.#text[this.#at] !== '\n') {
      if (this.#text[this.#at] === '"') return true
      this.#at += this.#text[this.#at] === '\\' && this.#text[this.#at + 1] !== '\n' ? 2 : 1
    }
    return false
  }

  #skipLine(): void {
    const end = this.#text.indexOf('\n', this.#at)
    this.#at = end === -1 ? this.#text.length : end
  }

  #newLine(): void {
    this.#at++
    this.#line++
    this.#lineStart = this.#at
  }

  #step(): { line: number; column: number } {
    const place = this.#place()
    this.#at++
    return place
  }

  #place(): { line: number; column: number } {
    return { line: this.#line, column: this.#at - this.#lineStart + 1 }
  }
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r'
}
