import { NameTable } from '../table.ts'

/**
 * What was lately made for names that clients chose, by name: at most twice `limit`.
 *
 * Two tables take turns: when the young one is full, it becomes the old one, and what nobody asked for meanwhile is
 * gone. Names that a client chose to collide cost at most one walk through a table, about as much as a signature.
 */
export class RecentNames<Value> {
  readonly #limit: number
  #young = new NameTable<Value>(0)
  #old = new NameTable<Value>(0)

  /** @param limit names that a table holds */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Find the value of the name in `bytes` from `start` to `end`: wire form, lower case. */
  find(bytes: Uint8Array, start: number, end: number): Value | undefined {
    const young = this.#young.find(bytes, start, end)
    if (young !== undefined) return young
    const old = this.#old.find(bytes, start, end)
    if (old !== undefined) this.add(bytes, start, end, old)
    return old
  }

  /** Add a name that `find` does not know; the bytes are copied. */
  add(bytes: Uint8Array, start: number, end: number, value: Value): void {
    if (this.#young.values.length === this.#limit) {
      this.#old = this.#young
      this.#young = new NameTable(0)
    }
    this.#young.add(bytes, start, end, value)
  }
}
