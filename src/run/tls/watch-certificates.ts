import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Portico } from '#run/portico.ts'
import { readPair } from '#tls/files.ts'

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
    const brought = front.plan.tls.certificates.flatMap(({ files, filesBeside }) =>
      [files ?? [], filesBeside ?? []].flat(),
    )
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
