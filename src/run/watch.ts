import { watch } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { readPair } from '#tls/files.ts'
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
  let marks: ReadonlyMap<string, string> = new Map()
  const look = async (): Promise<void> => {
    const brought = front.plan.tls.certificates.flatMap(({ files }) => files ?? [])
    const before = marks
    const now = new Map<string, string>()
    let isOther = false
    for (const { cert, key, fingerprint } of brought) {
      const paths = [resolve(folder, cert), resolve(folder, key)] as const
      const mark = `${fingerprint} ${await markOf(paths[0])} ${await markOf(paths[1])}`
      now.set(cert, mark)
      if (before.get(cert) === mark) continue
      const pair = await readPair(...paths)
      // While only one of the two is new they do not belong together.
      isOther ||= typeof pair !== 'string' && pair.fingerprint !== fingerprint
    }
    marks = now
    if (isOther) onChange()
  }
  void look()
  const timer = setInterval(() => void look(), LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}

async function markOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  return found === null ? 'none' : `${found.ino} ${found.mtimeMs} ${found.size}`
}
