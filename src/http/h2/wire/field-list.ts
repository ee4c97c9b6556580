import type { Fields, NameSet } from '#http/wire/fields.ts'
import type { Field } from './field.ts'

/** Fields that were decoded from a block and judged: none holds what could end a line of HTTP/1.1. */
export class FieldList implements Fields {
  readonly #list: readonly Field[]
  /** the last answer of `serialize`: who asks the same again is forwarded with the same lines */
  #lines = ''
  #linesWithout: NameSet | undefined

  /** @param list not changed afterwards; names in lower case */
  constructor(list: readonly Field[]) {
    this.#list = list
  }

  get size(): number {
    return this.#list.length
  }

  get(name: string): string | undefined {
    for (const field of this.#list) {
      if (field.name === name) return field.value
    }
    return undefined
  }

  all(name: string): string[] {
    const values: string[] = []
    for (const field of this.#list) {
      if (field.name === name) values.push(field.value)
    }
    return values
  }

  each(visit: (name: string, value: string) => void): void {
    for (const field of this.#list) visit(field.name, field.value)
  }

  serialize(skip: NameSet, nominated?: NameSet): string {
    if (nominated === undefined && this.#linesWithout === skip) return this.#lines
    let lines = ''
    for (const { name, value } of this.#list) {
      if (skip.has(name, 0, name.length) || nominated?.has(name, 0, name.length) === true) continue
      lines += `${name}: ${value}\r\n`
    }
    if (nominated === undefined) {
      this.#lines = lines
      this.#linesWithout = skip
    }
    return lines
  }
}
