import { type FSWatcher, readlinkSync, realpathSync, statSync, watch } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** Editors write in several steps: what follows within so long belongs to one change. */
const SETTLE_MS = 60
const LIMIT_LINKS = 8

/**
 * Call back when a file was changed or replaced, or a link on the way to it leads elsewhere.
 *
 * Folders are watched, because most editors write a new file and rename it over the old one, and because what is
 * mounted from elsewhere is often exchanged by a link.
 *
 * @returns ends the watch
 */
export function watchFile(file: string, onChange: () => void): () => void {
  const watchers = new Map<string, FSWatcher>()
  let timer: NodeJS.Timeout | undefined
  let told = signOf(file)
  let last = told
  watchFolders()
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers.values()) watcher.close()
  }

  function watchFolders(): void {
    const folders = foldersOf(file)
    for (const [folder, watcher] of watchers) {
      if (folders.has(folder)) continue
      watchers.delete(folder)
      watcher.close()
    }
    for (const folder of folders) if (!watchers.has(folder)) watchFolder(folder)
  }

  function watchFolder(folder: string): void {
    const watcher = watch(folder, { persistent: false }, () => (timer ??= setTimeout(look, SETTLE_MS)))
    watchers.set(folder, watcher)
    // A folder that goes away ends its watch; `reload` still works.
    watcher.on('error', () => {
      watchers.delete(folder)
      watcher.close()
    })
  }

  /** Something has happened near the file: has it, and is it over? */
  function look(): void {
    const sign = signOf(file)
    timer = sign === last ? undefined : setTimeout(look, SETTLE_MS)
    last = sign
    if (timer !== undefined || sign === told) return
    told = sign
    watchFolders()
    onChange()
  }
}

/** Differs when the file does; empty when there is none. */
function signOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat === undefined ? '' : `${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeMs}`
}

/** Where the file lies, and each link that it is reached by. */
function foldersOf(file: string): Set<string> {
  const folders = new Set<string>()
  let path = resolve(file)
  for (let links = 0; links < LIMIT_LINKS; links++) {
    try {
      // Folders by their own name: a link to one may lead to another later.
      folders.add(realpathSync(dirname(path)))
      path = resolve(dirname(path), readlinkSync(path))
    } catch {
      // What is no link, or not there, ends the way.
      break
    }
  }
  return folders
}
