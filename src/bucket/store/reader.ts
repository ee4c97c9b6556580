import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Stored } from './change.ts'
import { storedOf } from './table.ts'

export type ListOptions = {
  readonly prefix: string
  /** only keys after this one */
  readonly after: string
  /** what follows it in a key is cut off, and what is cut alike stands once */
  readonly delimiter: string
  readonly limit: number
}

export type Listing = {
  readonly objects: readonly Stored[]
  readonly prefixes: readonly string[]
  /** where to go on; null when that was all */
  readonly next: string | null
}

/** Reads a bucket beside its writer, on any thread; it sees what has been committed. */
export class Reader {
  readonly #database: DatabaseSync
  readonly #latest: StatementSync
  readonly #exact: StatementSync
  readonly #versions: StatementSync
  readonly #after: StatementSync

  /** @param path of the database, which the writer has made */
  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true })
    this.#latest = this.#database.prepare(
      "SELECT * FROM objects WHERE key = ? AND latest = 1 AND sha256 <> ''",
    )
    this.#exact = this.#database.prepare(
      "SELECT * FROM objects WHERE key = ? AND version = ? AND sha256 <> ''",
    )
    this.#versions = this.#database.prepare(
      'SELECT * FROM objects WHERE key = ? ORDER BY version DESC LIMIT ?',
    )
    this.#after = this.#database.prepare(
      "SELECT * FROM objects WHERE key >= ? AND key > ? AND latest = 1 AND sha256 <> '' ORDER BY key LIMIT ?",
    )
  }

  /** @param version null for the latest */
  find(key: string, version: number | null): Stored | null {
    const row = version === null ? this.#latest.get(key) : this.#exact.get(key, version)
    return row === undefined ? null : storedOf(row)
  }

  /** All versions of a key, marks of deletion too; the newest first. */
  versionsOf(key: string, limit: number): Stored[] {
    return this.#versions.all(key, limit).map(storedOf)
  }

  /** Keys in the order of their octets. */
  list({ prefix, after, delimiter, limit }: ListOptions): Listing {
    const objects: Stored[] = []
    const prefixes: string[] = []
    let cursor = after
    for (;;) {
      const wanted = delimiter === '' ? limit - objects.length + 1 : 1
      const rows = this.#after.all(prefix, cursor, wanted).map(storedOf)
      for (const row of rows) {
        if (!row.key.startsWith(prefix)) return { objects, prefixes, next: null }
        if (objects.length + prefixes.length === limit) return { objects, prefixes, next: cursor }
        const cut = delimiter === '' ? -1 : row.key.indexOf(delimiter, prefix.length)
        if (cut < 0) {
          objects.push(row)
          cursor = row.key
        } else {
          const common = row.key.slice(0, cut + delimiter.length)
          prefixes.push(common)
          // Over everything that is cut alike.
          cursor = common + LAST
        }
      }
      if (rows.length < wanted) return { objects, prefixes, next: null }
    }
  }

  close(): void {
    this.#database.close()
  }
}

/** Sorts after every character of a key. */
export const LAST = '\u{10ffff}'
