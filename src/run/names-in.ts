import { readdir, stat } from 'node:fs/promises'

type Listing = { readonly changedMs: number; readonly names: readonly string[] }

/** Folders that are remembered, and names in all of them: more are let go together. */
const LIMIT_FOLDERS = 64
const LIMIT_NAMES = 200_000
/** A folder that changed this short ago may change again within one tick of its clock. */
const TICK_MS = 100

const known = new Map<string, Listing>()
let held = 0

/**
 * The names in a folder, read again when something came into it or left: a folder of 10 000 films costs a look at its clock.
 *
 * @throws {Error} as readdir does
 */
export async function namesIn(folder: string): Promise<readonly string[]> {
  const { mtimeMs: changedMs } = await stat(folder)
  const before = known.get(folder)
  if (before?.changedMs === changedMs) return before.names
  const atMs = Date.now()
  const names = await readdir(folder)
  forget(folder)
  if (known.size >= LIMIT_FOLDERS || held + names.length > LIMIT_NAMES) forgetAll()
  if (atMs - changedMs < TICK_MS || names.length > LIMIT_NAMES) return names
  known.set(folder, { changedMs, names })
  held += names.length
  return names
}

function forget(folder: string): void {
  held -= known.get(folder)?.names.length ?? 0
  known.delete(folder)
}

function forgetAll(): void {
  known.clear()
  held = 0
}
