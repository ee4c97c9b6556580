import { watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

/** Editors write in several steps: what follows within so long belongs to one change. */
const SETTLE_MS = 60

/**
 * Call back when a file was changed or replaced.
 *
 * The folder is watched, because most editors write a new file and rename it over the old one.
 *
 * @returns ends the watch
 */
export function watchFile(file: string, onChange: () => void): () => void {
  const name = basename(file)
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(dirname(resolve(file)), { persistent: false }, (_event, changed) => {
    if (changed !== null && changed !== name) return
    clearTimeout(timer)
    timer = setTimeout(onChange, SETTLE_MS)
  })
  // A folder that goes away ends the watch; `reload` still works.
  watcher.on('error', () => watcher.close())
  return () => {
    clearTimeout(timer)
    watcher.close()
  }
}
