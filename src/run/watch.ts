import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { Portico } from './portico.ts'

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

/** Those who bring certificates replace links, folders or files: looking at what they lead to finds all of it. */
const LOOK_MS = 2000

/**
 * Call back when a certificate of the running Plan that was brought as files has others now.
 *
 * @returns ends the watch
 */
export function watchCertificates({ front, folder }: Portico, onChange: () => void): () => void {
  let before = ''
  const look = async (): Promise<void> => {
    const files = front.plan.tls.certificates.flatMap(({ files: pair }) =>
      pair ? [pair.cert, pair.key] : [],
    )
    const marks = await Promise.all(files.map((file) => markOf(resolve(folder, file))))
    const now = JSON.stringify([files, marks])
    if (before !== '' && now !== before && marks.every((mark) => mark !== null)) onChange()
    before = now
  }
  void look()
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

async function markOf(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null)
  return found === null ? null : `${found.ino} ${found.mtimeMs} ${found.size}`
}
