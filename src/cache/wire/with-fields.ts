import { type Fields, type NameSet, serializeFields, type WrittenHead } from '#http/wire/fields.ts'

/** Fields with others behind them; neither is copied. */
export class WithFields implements Fields {
  readonly #fields: Fields
  readonly #added: Fields
  written: WrittenHead | null | undefined = undefined

  constructor(fields: Fields, added: Fields) {
    this.#fields = fields
    this.#added = added
  }

  get size(): number {
    return this.#fields.size + this.#added.size
  }

  get(name: string): string | undefined {
    return this.#fields.get(name) ?? this.#added.get(name)
  }

  all(name: string): string[] {
    return [...this.#fields.all(name), ...this.#added.all(name)]
  }

  each(visit: (name: string, value: string) => void): void {
    this.#fields.each(visit)
    this.#added.each(visit)
  }

  serialize(skip: NameSet, nominated?: NameSet): string {
    return serializeFields(this.#fields, skip, nominated) + serializeFields(this.#added, skip, nominated)
  }
}
