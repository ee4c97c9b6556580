import { END, ENTRY, endOfText, KEY, type Outline, VALUE } from './outline.ts'

/** Offsets of a value, and of the key that leads to it; of the value itself where it stands in a list. */
export type Place = { readonly key: number; readonly value: number }

/** Parts of an object that are looked at one after the other before an index of it is made. */
const STEPS = 4

/** Where values stand in a text that `JSON.parse` took. Who asks in the order of the text is answered at once. */
export class Places {
  readonly #plain: string
  readonly #entries: Uint32Array
  readonly #count: number
  /** by number of an object: its part that was found last */
  readonly #last: Uint32Array
  readonly #indexes: Map<number, Map<string, number>> = new Map()

  constructor({ plain, entries, count }: Outline) {
    this.#plain = plain
    this.#entries = entries
    this.#count = count
    this.#last = new Uint32Array(count)
  }

  /** @param path keys and indexes from the root to a value; what is found is undefined where none was written */
  find(path: readonly (string | number)[]): Place | undefined {
    let entry: number | undefined = 0
    for (const step of path) {
      entry = this.#partOf(entry, String(step))
      if (entry === undefined) return undefined
    }
    return { key: this.#entries[entry + KEY]!, value: this.#entries[entry + VALUE]! }
  }

  /** Keys that stand in an object that has them already, by their offsets. */
  duplicates(): { readonly key: string; readonly offset: number }[] {
    const found: { key: string; offset: number }[] = []
    for (let entry = 0; entry < this.#count * ENTRY; entry += ENTRY) {
      if (!this.#isObject(entry)) continue
      const seen = new Set<string>()
      for (const part of this.#partsOf(entry)) {
        const key = this.#keyOf(part)
        if (seen.has(key)) found.push({ key, offset: this.#entries[part + KEY]! })
        seen.add(key)
      }
    }
    return found
  }

  #partOf(entry: number, key: string): number | undefined {
    if (!this.#isObject(entry)) return this.#indexOf(entry).get(key)
    const end = this.#entries[entry + END]!
    let part = this.#last[entry / ENTRY]! || entry + ENTRY
    for (let step = 0; step < STEPS && part < end; step++) {
      if (this.#isAt(part, key)) {
        this.#last[entry / ENTRY] = part
        return part
      }
      part = this.#entries[part + END]!
    }
    return this.#indexOf(entry).get(key)
  }

  /** Whether a part has that key, written without escapes. */
  #isAt(part: number, key: string): boolean {
    const from = this.#entries[part + KEY]! + 1
    return this.#plain[from + key.length] === '"' && this.#plain.startsWith(key, from) && !key.includes('\\')
  }

  #indexOf(entry: number): Map<string, number> {
    let index = this.#indexes.get(entry)
    if (index !== undefined) return index
    const parts = [...this.#partsOf(entry)]
    const isObject = this.#isObject(entry)
    index = new Map(parts.map((part, number) => [isObject ? this.#keyOf(part) : String(number), part]))
    this.#indexes.set(entry, index)
    return index
  }

  #isObject(entry: number): boolean {
    return this.#plain[this.#entries[entry + VALUE]!] === '{'
  }

  *#partsOf(entry: number): Generator<number> {
    const end = this.#entries[entry + END]!
    for (let part = entry + ENTRY; part < end; part = this.#entries[part + END]!) yield part
  }

  #keyOf(part: number): string {
    const from = this.#entries[part + KEY]!
    return JSON.parse(this.#plain.slice(from, endOfText(this.#plain, from)))
  }
}
