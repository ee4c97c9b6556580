import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isOriginal } from './ladder.ts'

type Seen = {
  readonly octets: number
  readonly modifiedMs: number
  /** its renditions are made, or being made */
  isTaken: boolean
}

/** Entries of a folder that are looked at, with those of folders in it. */
const LIMIT_ENTRIES = 100_000

/** Finds films that are new or have changed. */
export type FolderWatch = {
  /**
   * Look once.
   *
   * @param take is handed each film that has stood still since the look before; false: later
   */
  look(take: (path: string) => Promise<boolean>): Promise<void>
}

/** Watch a folder and those in it by looking again: that works on every disk, also over a network. */
export function createFolderWatch(folder: string): FolderWatch {
  const seen = new Map<string, Seen>()
  return {
    async look(take) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      const films = entries
        .slice(0, LIMIT_ENTRIES)
        .filter((entry) => entry.isFile() && isOriginal(entry.name))
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => !HIDDEN.test(path.slice(folder.length)))
      const there = new Set(films)
      for (const path of seen.keys()) if (!there.has(path)) seen.delete(path)
      for (const path of films) {
        const found = await stat(path).catch(() => null)
        if (found === null) continue
        const { size: octets, mtimeMs: modifiedMs } = found
        const before = seen.get(path)
        const isStill = before?.octets === octets && before.modifiedMs === modifiedMs
        // A film that is still being copied grows from look to look.
        if (!isStill) seen.set(path, { octets, modifiedMs, isTaken: false })
        else if (!before.isTaken) before.isTaken = await take(path)
      }
    },
  }
}

const HIDDEN = /[\\/]\./
